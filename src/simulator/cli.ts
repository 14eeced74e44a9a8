import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { SimulatedExchange } from './instrument.ts';
import { type Simulator, startSimulator } from './simulator.ts';

/** `npm run simulator`: one simulated exchange until SIGTERM or SIGINT. */

interface Flags {
  readonly exchange: SimulatedExchange;
  readonly host: string;
  readonly port: number;
  readonly seed: string;
  readonly rate: number;
  readonly symbols: readonly string[];
  readonly firstId?: bigint;
  readonly limits?: true;
  readonly replay?: readonly string[];
  readonly speed: number;
}

const USAGE_ERROR = 2;

const number =
  (what: string, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && value <= most) return value;
    throw new InvalidArgumentError(`${what} should be a number of 0 to ${most}.`);
  };

const port = (text: string): number => {
  const value = number('A port', 65_535)(text);
  if (Number.isInteger(value)) return value;
  throw new InvalidArgumentError('A port should be an integer; 0 takes any free one.');
};

const id = (text: string): bigint => {
  if (/^\d{1,30}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('An id should be up to 30 digits.');
};

const list = (text: string): readonly string[] => text.split(',').map((symbol) => symbol.trim());

function readFlags(argv: readonly string[]): Flags {
  return new Command('npm run simulator --')
    .description('A simulated exchange that speaks the real wire protocol, fed from a seeded tape or a recording.')
    .addOption(
      new Option('--exchange <id>', 'which protocol to speak').choices(['okx', 'binance']).makeOptionMandatory(),
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on, 0 for any free one', port, 0)
    .option('--seed <text>', 'the same seed gives the same tape', '1')
    .option('--rate <number>', 'trades per second and symbol', number('A rate', 100_000), 10)
    .option('--symbols <list>', 'canonical symbols, separated by commas', list, ['BTC-USDT', 'ETH-USDT'])
    .option('--first-id <id>', 'id of the first trade of the tape; may be beyond 2^53', id)
    .option('--limits', "enforce the exchange's limits on connections, requests and weight")
    .option('--replay <file...>', 'serve these recordings (JSONL) instead of a tape')
    .option('--speed <factor>', 'of the replay: 1 as recorded, 0 as fast as clients read', number('A speed', 10_000), 1)
    .helpOption('--help', 'show this text')
    .showHelpAfterError('Run with --help for all options.')
    .exitOverride()
    .parse(argv, { from: 'user' })
    .opts<Flags>();
}

function start(flags: Flags): Promise<Simulator> {
  const { exchange, host, seed, rate, symbols, firstId, replay, speed } = flags;
  return startSimulator({
    exchange,
    host,
    port: flags.port,
    seed,
    rate,
    symbols,
    enforceLimits: flags.limits ?? false,
    ...(firstId === undefined ? {} : { firstId }),
    ...(replay === undefined ? {} : { replay: { files: replay, speed } }),
  });
}

function announce({ exchange, connection, port, host }: Simulator): void {
  const { public_ws_url, business_ws_url, private_ws_url, rest_url } = connection;
  const urls = JSON.stringify({ public_ws_url, business_ws_url, private_ws_url, rest_url });
  process.stdout.write(`simulator ${exchange} listening on http://${host}:${port} "connection": ${urls}\n`);
}

try {
  const simulator = await start(readFlags(process.argv.slice(2)));
  let ending = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (ending) process.exit(1);
      ending = true;
      void simulator[Symbol.asyncDispose]().then(() => process.exit(0));
    });
  process.on('disconnect', () => process.exit(0)); // the launcher is gone and cannot pass signals on any more
  announce(simulator);
} catch (thrown) {
  if (thrown instanceof CommanderError) process.exit(thrown.exitCode === 0 ? 0 : USAGE_ERROR);
  process.stderr.write(`simulator: ${messageOf(thrown)}\n`);
  process.exit(thrown instanceof AppError ? USAGE_ERROR : 1);
}

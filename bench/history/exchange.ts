/** The simulated exchange in a process of its own. */
import { startSimulator } from '../../src/simulator/simulator.ts';
import { answer } from '../frame/answer.ts';

answer({
  async open({ symbols, rate }: { readonly symbols: readonly string[]; readonly rate: number }) {
    const simulator = await startSimulator({
      ...{ exchange: 'okx', host: '127.0.0.1', port: 0, seed: '1', enforceLimits: false },
      ...{ symbols, rate: rate / symbols.length },
    });
    return simulator.connection;
  },
});

import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { type Clock, systemClock } from './clock.ts';
import type { Log, LogComponent, LogFields, OpenLog } from './log.ts';
import { LogFile } from './log-file.ts';
import { escapeControls, LogText, type TextLimits } from './log-text.ts';
import type { Secret } from './secret.ts';

type Level = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

/** The `logging` settings of the configuration. */
export interface LoggingSettings {
  readonly level: Level;
  readonly format: 'detailed' | 'json';
  readonly console_output: boolean;
  readonly file_output: boolean;
  readonly cleanup: boolean;
  readonly max_files: number;
  readonly log_directory: string;
}

/** The `components` settings; a component without a level has the general one. */
export type ComponentSettings = Readonly<
  Partial<Record<LogComponent, { readonly level?: Level | undefined; readonly verbose: boolean }>>
>;

export interface LoggingOptions {
  /** Never printed, wherever they turn up. */
  readonly secrets: readonly Secret[];
  /** Where console lines go; by default standard output, without making anyone wait for its reader. */
  readonly console?: { write(line: string): unknown };
  readonly clock?: Clock;
  /** Bytes after which a log file is rotated within its day. */
  readonly maxBytes?: number;
}

export interface Logging extends AsyncDisposable {
  readonly open: OpenLog;
  /** Lines lost to a full disk or a reader that does not read. */
  readonly dropped: number;
}

const QUIET: TextLimits = { characters: 500, stacks: false };
const VERBOSE: TextLimits = { characters: 2_000, stacks: true };
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * Opens the log: one event is one line, in both formats, whatever its text holds; dispose writes what waits and closes the file.
 * @throws {AppError} CONFIG_INVALID when the log directory cannot be written.
 */
export function openLogging(logging: LoggingSettings, components: ComponentSettings, options: LoggingOptions): Logging {
  const text = new LogText(options.secrets);
  const console = logging.console_output ? openConsole(options.console) : null;
  const file = logging.file_output
    ? new LogFile({
        directory: logging.log_directory,
        maxFiles: logging.cleanup ? logging.max_files : null,
        maxBytes: options.maxBytes ?? 50 * 1024 * 1024,
        clock: options.clock ?? systemClock,
        onTrouble: (message) => console?.write(`${message}\n`),
      })
    : null;

  const plain = logging.format === 'json' ? jsonLine : detailed({ colors: false });
  const onConsole = logging.format === 'detailed' && console?.isTerminal ? detailed({ colors: true }) : plain;
  const root = pino(
    {
      level: 'debug',
      base: null,
      timestamp: () => `,"time":"${new Date((options.clock ?? systemClock).now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write(line: string) {
        console?.write(onConsole(line));
        file?.write(plain(line));
      },
    },
  );

  const open = (component: LogComponent): Log => {
    const settings = components[component];
    const limits = settings?.verbose === true ? VERBOSE : QUIET;
    const child = root.child({ component }, { level: (settings?.level ?? logging.level).toLowerCase() });
    const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
      if (!child.isLevelEnabled(level)) return;
      child[level](fields ? text.fields(fields, limits) : {}, text.message(message, VERBOSE.characters));
    };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  };

  return {
    open,
    get dropped() {
      return (console?.dropped ?? 0) + (file?.dropped ?? 0);
    },
    async [Symbol.asyncDispose]() {
      console?.flush();
      await file?.[Symbol.asyncDispose]();
    },
  };
}

const jsonLine = (line: string) => `${escapeControls(line.trimEnd())}\n`;

/** `[2026-11-23 18:00:00.000] INFO: storage: what happened {"rows":3}` */
function detailed({ colors }: { readonly colors: boolean }): (line: string) => string {
  return prettyFactory({
    colorize: colors,
    translateTime: 'UTC:yyyy-mm-dd HH:MM:ss.l',
    hideObject: true,
    errorLikeObjectKeys: [],
    messageFormat: (event, messageKey) => {
      const { level: _level, time: _time, component, [messageKey]: message, ...fields } = event;
      const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
      return escapeControls(`${String(component)}: ${String(message)}${rest}`);
    },
  });
}

interface ConsoleSink {
  readonly isTerminal: boolean;
  readonly dropped: number;
  write(line: string): void;
  flush(): void;
}

/** A pipe whose reader sleeps would stop the whole process if lines were written the ordinary way. */
function openConsole(given: LoggingOptions['console']): ConsoleSink {
  if (given) return { isTerminal: false, dropped: 0, write: (line) => void given.write(line), flush() {} };
  let dropped = 0;
  const stdout = pino.destination({ dest: 1, sync: false, maxLength: MAX_WAITING_BYTES });
  stdout.on('drop', () => {
    dropped += 1;
  });
  stdout.on('error', () => undefined); // the reader is gone; the file goes on
  return {
    isTerminal: process.stdout.isTTY,
    get dropped() {
      return dropped;
    },
    write: (line) => void stdout.write(line),
    flush() {
      try {
        stdout.flushSync();
      } catch {
        // the reader is gone
      }
    },
  };
}

/** The logging port of the runtime: leveled messages with fields. `src/logging.ts` implements it over winston. */

/** Values of any kind; what they become on the line is up to the implementation. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Also fits the `OperatorLogger` of the operator package. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** Put the caught value under `err`: it is written as `{type, message, code, reason, stack}`. */
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines all carry `fields` as well. */
  child(fields: LogFields): Logger;
}

/** Drops every line; the default where no logger is handed in. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

import packageJson from '../../package.json' with { type: 'json' };

/** Of this software, e.g. "0.1.0". */
export const VERSION: string = packageJson.version;

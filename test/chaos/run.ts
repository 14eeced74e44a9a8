import { SCENARIOS } from './scenarios.ts';
import { runSuite } from './suite.ts';

await runSuite({ name: 'chaos', scenarios: SCENARIOS });

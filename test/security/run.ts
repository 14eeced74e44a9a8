import { runSuite } from '../chaos/suite.ts';
import { SCENARIOS } from './scenarios.ts';

await runSuite({ name: 'security', scenarios: SCENARIOS });

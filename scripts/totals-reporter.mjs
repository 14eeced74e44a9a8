import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A vitest reporter that writes `{ [project]: { passed, failed, skipped } }` to the file TEST_TOTALS names.
 * What fails outside a test (a file that does not load, a hook, an unhandled rejection) counts as one failed each.
 */
export default class TotalsReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const projects = {};
    for (const module of modules) {
      projects[module.project.name] ??= { passed: 0, failed: 0, skipped: 0 };
      const totals = projects[module.project.name];
      const before = totals.failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        totals[state === 'passed' || state === 'skipped' ? state : 'failed'] += 1;
      }
      if (module.state() !== 'passed' && module.state() !== 'skipped' && totals.failed === before) totals.failed += 1;
    }
    if (unhandledErrors.length > 0)
      projects['outside any test'] = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    mkdirSync(dirname(process.env.TEST_TOTALS), { recursive: true });
    writeFileSync(process.env.TEST_TOTALS, JSON.stringify(projects));
  }
}

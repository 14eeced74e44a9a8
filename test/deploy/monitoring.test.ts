import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parser } from '@prometheus-io/lezer-promql';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { serve } from '../server/served.ts';

const fileOf = (name: string) => fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url));
const ALERTS = fileOf('prometheus/alerts.yaml');
const DASHBOARD = fileOf('grafana/tcp-dashboard.json');

interface Alerts {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly for?: string;
      readonly labels: { readonly severity: string };
      readonly annotations: { readonly summary: string; readonly action: string };
    }[];
  }[];
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

const rules = (parse(readFileSync(ALERTS, 'utf8')) as Alerts).groups.flatMap((group) => group.rules);
const { panels, templating } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
};

const exprs = [...rules.map(({ expr }) => expr), ...panels.flatMap(({ targets = [] }) => targets.map((t) => t.expr))];

/** What Grafana puts into an expression before it asks. */
const filled = (expr: string) =>
  expr.replaceAll('$job', 'tcp-dashboard').replaceAll(/\$__(rate_interval|range)\b/g, '1m');

/** Where the grammar of Prometheus finds something it has no place for: an offset each. */
function wrongIn(expr: string): readonly number[] {
  const wrong: number[] = [];
  parser.parse(expr).iterate({ enter: ({ type, from }) => void (type.isError && wrong.push(from)) });
  return wrong;
}

/** What the server tells, by name. */
async function told(): Promise<ReadonlySet<string>> {
  await using served = await serve();
  const text = await (await fetch(`${served.server.url}/metrics`)).text();
  return new Set([...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name = '']) => name));
}

const asked = (expr: string): readonly string[] => expr.match(/\b(tcp_dashboard|nodejs|process)_\w+/g) ?? [];

test('alerts and dashboard ask only for what the server tells', async () => {
  const names = await told();
  expect(exprs.length).toBeGreaterThan(25);
  const unknown = exprs.flatMap(asked).filter((name) => !names.has(name));
  expect(unknown).toEqual([]);
});

test.each(exprs)('Prometheus understands %s', (expr) => {
  expect(filled(expr)).not.toContain('$');
  expect(wrongIn(filled(expr))).toEqual([]);
});

test.each(['sum(', 'rate(x[])', 'a ==', '{job=}', 'sum by job (x)'])('and not %s', (expr) => {
  expect(wrongIn(expr)).not.toEqual([]);
});

test('the rules have nothing but what Prometheus takes, and times it reads', () => {
  const KEYS = ['alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];
  for (const rule of rules) {
    expect(Object.keys(rule).filter((key) => !KEYS.includes(key))).toEqual([]);
    expect(rule.for ?? '0s').toMatch(/^\d+(ms|s|m|h|d)$/);
  }
});

test('every query of the dashboard goes to the data source that is chosen', () => {
  const sources = templating.list.filter(({ type }) => type === 'datasource').map(({ name }) => `\${${name}}`);
  const asked = panels.flatMap(({ targets = [] }) => targets.map(({ datasource }) => datasource.uid));
  expect(new Set(asked)).toEqual(new Set(sources));
});

test('every alert says how bad it is, what is and what to do', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { labels, annotations } of rules) {
    expect(['warning', 'critical']).toContain(labels.severity);
    expect(annotations.summary).toMatch(/\.$/);
    expect(annotations.action).toMatch(/\.$/);
  }
});

test('no panel of the dashboard lies on another, and each says what it shows', () => {
  const taken = new Set<string>();
  for (const { title, description, targets, gridPos } of panels) {
    if (targets) expect(description, title).toMatch(/\.$/);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect(x).toBeLessThan(24);
        expect(taken.has(`${x},${y}`), `${title} at ${x},${y}`).toBe(false);
        taken.add(`${x},${y}`);
      }
  }
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});

test('Prometheus loads the alerts', ({ skip }) => {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
  } catch {
    return skip('promtool is not installed: apt-get install prometheus');
  }
  expect(execFileSync('promtool', ['check', 'rules', ALERTS], { encoding: 'utf8' })).toContain('SUCCESS');
});

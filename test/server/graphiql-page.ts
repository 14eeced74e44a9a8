import type { Page } from 'playwright-core';
import { vi } from 'vitest';

/** What GraphiQL shows as the answer. */
export const answerOf = async (page: Page): Promise<string> =>
  (await page.locator('.result-window').innerText()).replaceAll('\u00a0', ' ');

export async function showTab(page: Page, tab: string): Promise<void> {
  await page.getByRole('tab', { name: tab }).click();
  await page.locator('.graphiql-query-editor', { hasText: tab }).waitFor();
}

/** GraphiQL learns the operation of a tab a moment after showing it, so it is run until it answers. */
export const runShown = (page: Page, answered: () => Promise<void>): Promise<void> =>
  vi.waitFor(
    async () => {
      await page.getByRole('button', { name: /execute query/i }).click();
      await answered();
    },
    { timeout: 10_000, interval: 200 },
  );

export async function runTab(page: Page, tab: string, answered: () => Promise<void>): Promise<void> {
  await showTab(page, tab);
  await runShown(page, answered);
}

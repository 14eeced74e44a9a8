// Prints what the product is made of, as CycloneDX: every package an installation without development dependencies may hold.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm } from './npm.mjs';

const read = async (name) => JSON.parse(await readFile(new URL(`../${name}`, import.meta.url), 'utf8'));

const { devDependencies: _, ...own } = await read('package.json');
const { packages, ...lock } = await read('package-lock.json');
// Taken out here, as `npm sbom --omit=dev` also leaves out what the product shares with a tool.
const ofProduct = Object.entries(packages).filter(([, { dev, devOptional }]) => !dev && !devOptional);
lock.packages = { ...Object.fromEntries(ofProduct), '': own };

const scratch = await mkdtemp(join(tmpdir(), 'sbom-'));
try {
  const project = join(scratch, own.name); // npm takes the folder's name for that of what it describes
  await mkdir(project);
  await writeFile(join(project, 'package.json'), JSON.stringify(own));
  await writeFile(join(project, 'package-lock.json'), JSON.stringify(lock));
  const args = [
    'sbom',
    '--package-lock-only',
    '--sbom-format=cyclonedx',
    '--sbom-type=application',
    '--loglevel=error',
  ];
  process.exitCode = await npm(args, { cwd: project, out: 1 });
} finally {
  await rm(scratch, { recursive: true, force: true });
}

import type { CodegenConfig } from '@graphql-codegen/cli';

/** Typed operations for every document in tests and examples: `graphql('query …')` knows its variables and its answer. */
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  documents: ['test/**/*.ts', 'examples/**/*.ts', '!test/generated/**'],
  ignoreNoDocuments: true,
  importExtension: '.ts',
  emitLegacyCommonJSImports: false,
  generates: {
    'test/generated/': {
      preset: 'client',
      presetConfig: { gqlTagName: 'graphql', fragmentMasking: false },
      config: {
        documentMode: 'string',
        enumsAsTypes: true,
        useTypeImports: true,
        strictScalars: true,
        skipTypename: true,
        scalars: { DateTime: 'string', Decimal: 'string', BigInt: 'string', Cursor: 'string', JSON: 'unknown' },
      },
    },
  },
};

export default config;

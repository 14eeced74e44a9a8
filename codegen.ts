import type { CodegenConfig } from '@graphql-codegen/cli';

/** What `graphql('query …')` of the folder knows about each document written there: its variables and its answer. */
const typedOperations = (folder: 'test' | 'examples') => ({
  documents: [`${folder}/**/*.ts`, `!${folder}/generated/**`],
  preset: 'client' as const,
  presetConfig: { gqlTagName: 'graphql', fragmentMasking: false },
  config: {
    documentMode: 'string',
    enumsAsTypes: true,
    useTypeImports: true,
    strictScalars: true,
    skipTypename: true,
    scalars: {
      DateTime: 'string',
      Date: 'string',
      Decimal: 'string',
      BigInt: 'string',
      Cursor: 'string',
      JSON: 'unknown',
    },
  },
});

const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  ignoreNoDocuments: true,
  importExtension: '.ts',
  emitLegacyCommonJSImports: false,
  generates: {
    'test/generated/': typedOperations('test'),
    'examples/generated/': typedOperations('examples'),
  },
};

export default config;

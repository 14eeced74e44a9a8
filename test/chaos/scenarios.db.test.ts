import { playInShort } from './in-short.ts';
import { SCENARIOS } from './scenarios.ts';

playInShort(SCENARIOS);

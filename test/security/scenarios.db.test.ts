import { playInShort } from '../chaos/in-short.ts';
import { SCENARIOS } from './scenarios.ts';

playInShort(SCENARIOS);

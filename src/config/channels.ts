import { type DataType, isDataType } from '../market/data-type.ts';

/** The data type a key of `channels` means: its own word or the plural. */
export function dataTypeOfChannelKey(key: string): DataType | null {
  const singular = key.replace(/s$/, '');
  return isDataType(singular) ? singular : null;
}

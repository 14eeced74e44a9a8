/** ms by the clock all processes of the machine share. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6;

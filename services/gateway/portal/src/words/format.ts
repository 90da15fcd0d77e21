/** Figures, money and times in the member's locale (G1), at the portal's own clock. */

import type { Money } from "../api/contract.ts";
import { plainDay, plainEuros, plainNumber } from "./plain.ts";

export const ZONE = "Europe/Berlin";

/** Digits of the minor unit by ISO 4217 where they are not two; Intl knows what people are used to see, which may be fewer. */
const DIGITS: Readonly<Record<string, number>> = {
  ...digits(0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
  ...digits(3, "BHD IQD JOD KWD LYD OMR TND"),
  ...digits(4, "CLF UYW"),
};

function digits(count: number, currencies: string): Record<string, number> {
  return Object.fromEntries(currencies.split(" ").map((currency) => [currency, count]));
}

/** Return the locale in which a member reads: German for `de…` and for those who never said, else English. */
export function localeOf(said: string | null): string {
  if (said === null || said.toLowerCase().startsWith("de")) return known(said, "de-DE");
  return said.toLowerCase().startsWith("en") ? known(said, "en-GB") : "en-GB";
}

function known(said: string | null, usual: string): string {
  try {
    return said === null ? usual : (Intl.getCanonicalLocales(said)[0] ?? usual);
  } catch {
    return usual;
  }
}

/** Make a formatter when it is first needed: the first rows hardly need one (`plain.ts`). */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

export class Format {
  private readonly monies = new Map<string, Intl.NumberFormat>();
  private readonly numbers: () => Intl.NumberFormat;
  private readonly days: () => Intl.DateTimeFormat;
  private readonly shortDays: () => Intl.DateTimeFormat;
  private readonly moments: () => Intl.DateTimeFormat;
  private readonly names: () => Intl.ListFormat;
  private readonly locale: string;

  constructor(locale: string) {
    this.locale = locale;
    this.numbers = once(() => new Intl.NumberFormat(locale));
    this.days = once(() => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: ZONE }));
    this.shortDays = once(() => new Intl.DateTimeFormat(locale, { day: "2-digit", month: "2-digit", year: "2-digit", timeZone: ZONE }));
    this.moments = once(() => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone: ZONE }));
    this.names = once(() => new Intl.ListFormat(locale, { type: "conjunction" }));
  }

  number(value: number): string {
    return plainNumber(value, this.locale) ?? this.numbers().format(value);
  }

  money({ amount_minor, currency }: Money): string {
    const plain = currency === "EUR" ? plainEuros(amount_minor, this.locale) : undefined;
    const digits = DIGITS[currency] ?? 2;
    return plain ?? this.moneyOf(currency, digits).format(amount_minor / 10 ** digits);
  }

  private moneyOf(currency: string, digits: number): Intl.NumberFormat {
    const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    const format = this.monies.get(currency) ?? new Intl.NumberFormat(this.locale, { style: "currency", currency, ...fraction });
    this.monies.set(currency, format);
    return format;
  }

  day(instant: string): string {
    return this.days().format(new Date(instant));
  }

  shortDay(instant: string): string {
    const day = new Date(instant);
    return plainDay(day, this.locale) ?? this.shortDays().format(day);
  }

  moment(instant: string): string {
    return this.moments().format(new Date(instant));
  }

  /** An instant as the scheduler tells it: its own wall time with its own offset (N5). */
  delivery(instant: string): string {
    const offset = /(Z|[+-]\d\d:\d\d)$/.exec(instant)?.[1] ?? "";
    const wall = new Date(`${instant.slice(0, 16)}Z`);
    const told = new Intl.DateTimeFormat(this.locale, { weekday: "short", day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
    return `${told.format(wall)} (UTC${offset === "Z" ? "" : offset.replace("-", "−")})`;
  }

  list(names: string[]): string {
    return this.names().format(names);
  }
}

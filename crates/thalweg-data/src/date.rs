//! ISO 8601 dates, the few forms that data files use.

/// Days since 1970-01-01T00:00 of `YYYY-MM`, `YYYY-MM-DD` or the same with `/`, with an optional time `HH:MM`,
/// `HH:MM:SS` or `HH:MM:SS.fff` behind a space or `T`, and an optional zone `Z` or `±HH:MM`. A month alone is its
/// first day. `None` if the text has another form or names a day that is not in the (Gregorian) calendar.
pub(crate) fn parse_days(text: &str) -> Option<f64> {
    let (date, time) = match text.find(['T', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let separator = if date.contains('/') { '/' } else { '-' };
    let mut parts = date.split(separator);
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    let day = match parts.next() {
        Some(day) => digits(day, 2)?,
        None if time.is_some() => return None,
        None => 1,
    };
    let valid = (1..=12).contains(&month) && (1..=month_len(year, month)).contains(&day);
    if parts.next().is_some() || !valid {
        return None;
    }
    let seconds = time.map_or(Some(0.0), parse_seconds)?;
    Some(days_from_civil(year, month, day) as f64 + seconds / 86_400.0)
}

/// Seconds since midnight UTC of a clock time with an optional zone.
fn parse_seconds(text: &str) -> Option<f64> {
    let (clock, zone) = match text.find(['Z', '+', '-']) {
        Some(at) => (&text[..at], &text[at..]),
        None => (text, ""),
    };
    let offset_minutes = match zone {
        "" | "Z" => 0,
        _ => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let minutes = digits(hours, 2)? * 60 + digits(minutes, 2)?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = parts.next().map_or(Some(0.0), second)?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second >= 61.0 {
        return None;
    }
    Some(((hour * 60 + minute - offset_minutes) * 60) as f64 + second)
}

/// `SS` or `SS.fff`.
fn second(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole, 2).is_some() && all_digits).then(|| text.parse().ok())?
}

/// A number of exactly `len` decimal digits.
fn digits(text: &str, len: usize) -> Option<i64> {
    (text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn month_len(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar: whole 400-year eras of 146,097 days, with years counted
/// from March so that the leap day is a year's last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse_days;

    #[test]
    fn dates_count_days_since_1970() {
        for (text, days) in [
            ("1970-01-01", 0.0),
            ("1970-01", 0.0),
            ("1969-12-31", -1.0),
            ("2000-02-29", 11_016.0),
            ("2000/03/01", 11_017.0),
            ("1949-01", -7_670.0),
            ("2024-12-31", 20_088.0),
            ("1970-01-02 12:00", 1.5),
            ("1970-01-02T06:00:00", 1.25),
            ("1970-01-01T00:00:00.5Z", 0.5 / 86_400.0),
            ("1970-01-01T01:00:00+01:00", 0.0),
            ("1969-12-31T18:00:00-06:00", 0.0),
        ] {
            assert_eq!(parse_days(text), Some(days), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_date_is_refused() {
        for text in [
            "",
            "1970",
            "1970-1-1",
            "70-01-01",
            "1970-13",
            "1970-00",
            "1970-02-29",
            "1900-02-29",
            "1970-01-32",
            "1970-01-01-01",
            "1970/01-01",
            "1970-01-01T",
            "1970-01-01T24:00",
            "1970-01-01T10",
            "1970-01-01T10:00:0",
            "1970-01 10:00",
            "1970-01-01T10:00+1",
            "+970-01-01",
            "1970-01-01T10:00:00.",
            "é970-01-01",
            "555-1234",
        ] {
            assert_eq!(parse_days(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_its_predecessor() {
        let mut expected = parse_days("1601-01-01").expect("a date");
        for year in 1601..=2000 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(days) = parse_days(&format!("{year:04}-{month:02}-{day:02}")) {
                        assert_eq!(days, expected);
                        expected += 1.0;
                    }
                }
            }
        }
        assert_eq!(expected - parse_days("1601-01-01").expect("a date"), 146_097.0);
    }
}

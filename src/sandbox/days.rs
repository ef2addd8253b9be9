//! The English names of days and months, for the twins and the scripted model that read what people write.

use jiff::civil::Weekday;

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The day of the week with a name that fits.
pub(super) fn weekday(fits: impl Fn(&str) -> bool) -> Option<Weekday> {
    let offset = WEEKDAYS.iter().position(|name| fits(name))?;
    Weekday::from_monday_zero_offset(i8::try_from(offset).ok()?).ok()
}

/// The number of the month with a name that fits, from 1.
pub(super) fn month(fits: impl Fn(&str) -> bool) -> Option<i8> {
    let index = MONTHS.iter().position(|name| fits(name))?;
    i8::try_from(index + 1).ok()
}

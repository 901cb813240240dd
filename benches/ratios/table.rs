//! The report: one line a row, as Markdown has tables.

use std::fmt;
use std::time::Duration;

pub(crate) const HEAD: &str = "\
| what | median (lowest … highest) | goal | medians of both sides |
|---|---|---|---|
";

/// One line of the report.
pub(crate) struct Row {
    what: String,
    value: String,
    goal: &'static str,
    sides: String,
}

impl Row {
    /// A row of rates: the ratio within each round.
    pub(crate) fn ratio(what: impl Into<String>, of: &[f64], to: &[f64]) -> Self {
        let sides = format!("{:.0}/s, {:.0}/s", median(of), median(to));
        Self::new(what, of, to, sides)
    }

    /// A row of times in milliseconds: the ratio within each round.
    pub(crate) fn times(what: impl Into<String>, of: &[f64], to: &[f64]) -> Self {
        let sides = format!("{:.1} ms, {:.1} ms", median(of), median(to));
        Self::new(what, of, to, sides)
    }

    fn new(what: impl Into<String>, of: &[f64], to: &[f64], sides: String) -> Self {
        let ratios: Vec<f64> = of.iter().zip(to).map(|(of, to)| of / to).collect();
        let lowest = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = ratios.iter().copied().fold(0.0, f64::max);
        Self {
            what: what.into(),
            value: format!("{:.2} ({lowest:.2} … {highest:.2})", median(&ratios)),
            goal: "",
            sides,
        }
    }

    /// A row without another side.
    pub(crate) fn value(what: impl Into<String>, value: String) -> Self {
        Self {
            what: what.into(),
            value,
            goal: "",
            sides: String::new(),
        }
    }

    /// The same row, with more about the sides.
    pub(crate) fn and(mut self, more: &str) -> Self {
        if !self.sides.is_empty() {
            self.sides.push_str("; ");
        }
        self.sides.push_str(more);
        self
    }

    /// The same row with the design's goal.
    pub(crate) fn goal(mut self, goal: &'static str) -> Self {
        self.goal = goal;
        self
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            value,
            goal,
            sides,
        } = self;
        write!(f, "| {what} | {value} | {goal} | {sides} |")
    }
}

/// The middle one; 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

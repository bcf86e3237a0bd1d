//! What a scenario tells, whoever writes it down.

use core::time::Duration;

use serde::Serialize;

/// A story with its name.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) title: String,
    /// Of what was drawn, if anything was.
    pub(super) seed: Option<u64>,
    #[serde(flatten)]
    pub(super) story: Story,
}

/// What a scenario tells.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Story {
    /// What happens, and to whom.
    pub(super) setting: String,
    /// What came of it.
    pub(super) figures: Vec<Figure>,
    /// What that shows.
    pub(super) lesson: String,
    /// Who said so first.
    pub(super) sources: &'static [Source],
}

/// A paper or a page to read on.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Source {
    pub(super) title: &'static str,
    pub(super) url: &'static str,
}

/// A table or a plot.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Figure {
    Table(Table),
    Bars(Bars),
}

impl Figure {
    /// Creates a table with these columns.
    pub(super) fn table<R: Into<Vec<Value>>>(
        caption: impl Into<String>,
        columns: &[&str],
        rows: impl IntoIterator<Item = R>,
    ) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        let rows = rows.into_iter().map(Into::into).collect();
        Self::Table(Table { caption: caption.into(), columns, rows })
    }

    /// Creates a plot with a bar for each value; the columns are what is labelled, and what the values are.
    pub(super) fn bars(
        caption: impl Into<String>,
        columns: [&'static str; 2],
        bars: impl IntoIterator<Item = (String, Value)>,
    ) -> Self {
        let bars = bars.into_iter().map(|(label, value)| Bar { label, value }).collect();
        Self::Bars(Bars { caption: caption.into(), columns, bars })
    }

    #[cfg(test)]
    pub(super) fn is_rectangular(&self) -> bool {
        match self {
            Self::Table(Table { columns, rows, .. }) => {
                !rows.is_empty() && rows.iter().all(|row| row.len() == columns.len())
            }
            Self::Bars(Bars { bars, .. }) => !bars.is_empty(),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Value>>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Bars {
    pub(super) caption: String,
    /// Read out, and not seen.
    #[serde(skip)]
    pub(super) columns: [&'static str; 2],
    pub(super) bars: Vec<Bar>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: Value,
}

/// What stands in a cell: as it is for machines, and with its unit for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Value {
    Text(String),
    Count(u64),
    /// Of one.
    Share(f64),
    Seconds(f64),
    Number(f64),
    /// There is nothing to say.
    Nothing,
}

impl Value {
    /// Returns how long a bar is for it.
    pub(super) fn size(&self) -> f64 {
        match *self {
            Self::Count(count) => crate::compare::number::float(count.into()),
            Self::Share(number) | Self::Seconds(number) | Self::Number(number) => number,
            Self::Text(_) | Self::Nothing => 0.0,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Value {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Self::Seconds(time.as_secs_f64())
    }
}

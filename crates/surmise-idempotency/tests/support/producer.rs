//! A producer's window that remembers all there ever was, and looks through all of it.

/// What is to be said of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted,
    Duplicate(Option<u32>),
    Gap { expected: u64, offered: u64 },
    Fenced { offered: u64, current: u64 },
}

/// What was carried out since a window was made, and from where on.
pub(crate) struct History {
    first: (u64, u64),
    remembered: usize,
    messages: Vec<Message>,
}

struct Message {
    epoch: u64,
    sequence: u64,
    result: u32,
}

impl History {
    /// Begins with this message, or an epoch after it, where so many results are remembered.
    pub(crate) fn at(epoch: u64, sequence: u64, remembered: usize) -> Self {
        Self { first: (epoch, sequence), remembered, messages: Vec::new() }
    }

    pub(crate) fn admit(&self, epoch: u64, sequence: u64) -> Answer {
        let current = self.epoch();
        if epoch < current {
            return Answer::Fenced { offered: epoch, current };
        }
        let carried_out: Vec<_> = self.of(epoch).collect();
        let first = if epoch == self.first.0 { self.first.1 } else { 0 };
        let last = carried_out.iter().rev().take(self.remembered);
        if carried_out.iter().any(|message| message.sequence == sequence) || sequence < first {
            let remembered = last.copied().find(|message| message.sequence == sequence);
            return Answer::Duplicate(remembered.map(|message| message.result));
        }
        let expected = first + carried_out.len() as u64;
        if sequence == expected {
            Answer::Accepted
        } else {
            Answer::Gap { expected, offered: sequence }
        }
    }

    pub(crate) fn record(&mut self, epoch: u64, sequence: u64, result: u32) {
        self.messages.push(Message { epoch, sequence, result });
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.messages.iter().map(|message| message.epoch).fold(self.first.0, u64::max)
    }

    pub(crate) fn remembered(&self) -> Vec<(u64, u32)> {
        let all: Vec<_> =
            self.of(self.epoch()).map(|message| (message.sequence, message.result)).collect();
        let forgotten = all.len().saturating_sub(self.remembered);
        all.into_iter().skip(forgotten).collect()
    }

    fn of(&self, epoch: u64) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(move |message| message.epoch == epoch)
    }
}

use crossbeam_channel::{Receiver, Sender, bounded};

/// Wakes whoever sleeps until a monitor's deadline. If nobody sleeps it rings until somebody is about to.
#[derive(Clone, Debug)]
pub(super) struct Bell {
    ringer: Sender<()>,
    pub(super) heard: Receiver<()>,
}

impl Bell {
    pub(super) fn new() -> Self {
        let (ringer, heard) = bounded(1);
        Self { ringer, heard }
    }

    /// Rings, which waits for nobody.
    pub(super) fn ring(&self) {
        // Where there is no room it rings already, and it has both ends, so that none of them is gone.
        let _rings_already = self.ringer.try_send(());
    }

    pub(super) fn silence(&self) {
        let _was_silent = self.heard.try_recv();
    }
}

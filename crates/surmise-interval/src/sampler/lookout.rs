use super::Sight;
use crate::source::{suspension::Suspension, vmclock::DisruptionWatch};

/// Looks out for what makes all that was known before doubtful: that the machine was moved, or slept.
#[derive(Default)]
pub(super) struct Lookout {
    watch: Option<DisruptionWatch>,
    /// Whether the watch could be asked before.
    watched: bool,
    suspension: Option<Suspension>,
}

impl Lookout {
    pub(super) fn set_watch(&mut self, watch: DisruptionWatch) {
        self.watch = Some(watch);
    }

    /// Looks whether anything happened since this was last done.
    pub(super) fn look(&mut self) -> Sight {
        let slept = self.slept();
        match self.watch.as_mut().map(DisruptionWatch::poll).transpose() {
            Ok(disruption) => {
                self.watched |= self.watch.is_some();
                Sight { disrupted: slept || disruption.flatten().is_some(), error: None }
            }
            // Where the watch could be asked before, nobody knows what happened since.
            Err(error) => Sight { disrupted: slept || self.watched, error: Some(error) },
        }
    }

    fn slept(&mut self) -> bool {
        match &mut self.suspension {
            Some(suspension) => suspension.occurred(),
            // What was slept before the first look is nothing new.
            None => {
                let mut suspension = Suspension::default();
                suspension.occurred();
                self.suspension = Some(suspension);
                false
            }
        }
    }
}

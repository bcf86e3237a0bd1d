//! One run: it starts the processes, does to them what the plan says, and gathers what they note.

mod faults;
mod reading;

use core::time::Duration;
use std::{collections::BTreeMap, sync::Arc};

use surmise_time::{BootClock, Instant, MonotonicClock as _};

use self::reading::{patiently, read_log};
use super::{
    error::FailoverError,
    history::{Entry, History, Note, Who},
    member::{Heard, Host, Member, name},
    message::Party,
    plan::Plan,
    setup::Setup,
    wire::{Beginning, FromProcess, Network, Role, ToProcess},
};
use crate::{
    processes::{Inbox, RunError, StoreHost},
    record::Stop,
    stores::{Kind, Opened, Server, StoreChoice},
};

/// What a run is made of.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) setup: Setup,
    pub(super) plan: Plan,
    pub(super) network: Network,
    pub(super) store: StoreChoice,
}

/// Has a run happen, on a store that is open or on one of its own, and passes on to `show` what happens when it does.
pub(super) fn play(
    script: &Script,
    shared: Option<&Arc<Opened>>,
    stop: &Stop,
    show: &mut dyn FnMut(&Entry) -> Result<(), FailoverError>,
) -> Result<History, FailoverError> {
    let store = match shared {
        Some(shared) => StoreHost::new(Arc::clone(shared), "failover"),
        None => patiently(stop, TO_OPEN, || StoreHost::open(&script.store, "failover"))?,
    };
    let host = Arc::new(Host::new(store));
    let mut run = Run::start(script, stop, &host, show)?;
    run.follow_plan()?;
    let history = run.end()?;
    let log = patiently(stop, PATIENCE, || read_log(&host.store, &history))?;
    Ok(History { log, ..history })
}

struct Run<'a> {
    // Killed before anything else ends.
    members: BTreeMap<Party, Member>,
    script: &'a Script,
    host: &'a Arc<Host>,
    show: &'a mut dyn FnMut(&Entry) -> Result<(), FailoverError>,
    inbox: Inbox<'a, Heard>,
    run: u64,
    history: History,
    leader: Option<usize>,
    /// Whom each fault met that is to be undone, and in which incarnation.
    met: BTreeMap<usize, (usize, u64)>,
    /// How much later than planned all is, since a fault was for a leader that there was not.
    late: Duration,
    /// What those are told who come later.
    skews: BTreeMap<usize, i64>,
    /// The incarnation of the last process that was started.
    lives: u64,
    is_drained: bool,
}

impl<'a> Run<'a> {
    fn start(
        script: &'a Script,
        stop: &'a Stop,
        host: &'a Arc<Host>,
        show: &'a mut dyn FnMut(&Entry) -> Result<(), FailoverError>,
    ) -> Result<Self, FailoverError> {
        let mut run = Self {
            members: BTreeMap::new(),
            script,
            host,
            show,
            inbox: Inbox::new(stop),
            run: rand::random(),
            history: History { fenced: script.setup.fenced, ..History::default() },
            leader: None,
            met: BTreeMap::new(),
            late: Duration::ZERO,
            skews: BTreeMap::new(),
            lives: 1,
            is_drained: false,
        };
        let parties: Vec<_> =
            (0..script.setup.nodes).map(Party::Node).chain([Party::Client]).collect();
        for note in notes(script, host.store.note()) {
            run.note(Who::Director, Note::Store { note })?;
        }
        for &party in &parties {
            run.start_process(party, run.lives)?;
        }
        // All are there before the first heartbeat is waited for.
        parties.iter().try_for_each(|&party| run.wait_until_ready(party))?;
        Ok(run)
    }

    /// Has everything happen that is planned, until the client has nothing under way.
    fn follow_plan(&mut self) -> Result<(), FailoverError> {
        self.tell_addresses()?;
        let start = BootClock.now();
        let script = self.script;
        for (at, step) in &script.plan.steps {
            self.hear_up_to(start + *at + self.late)?;
            self.apply(step)?;
        }
        self.hear_up_to(start + script.plan.duration + self.late)?;
        if let Some(client) = self.members.get(&Party::Client) {
            client.process.tell(&ToProcess::Drain)?;
        }
        let give_up = BootClock.now() + script.setup.timing.drain(script.plan.duration);
        while !self.is_drained && BootClock.now() < give_up {
            self.hear_until(give_up)?;
        }
        Ok(())
    }

    /// Ends all processes. What they still did is done, and noted, before this returns.
    fn end(mut self) -> Result<History, FailoverError> {
        self.members.clear();
        while let Some(heard) = self.inbox.received() {
            self.take(heard)?;
        }
        Ok(self.history)
    }

    fn start_process(&mut self, party: Party, incarnation: u64) -> Result<(), FailoverError> {
        let Script { setup, network, store, .. } = self.script;
        let role = match party {
            Party::Node(me) => Role::Node { me, incarnation },
            Party::Client => Role::Client,
        };
        let skew_ns = match party {
            Party::Node(node) => self.skews.get(&node).copied().unwrap_or_default(),
            Party::Client => 0,
        };
        let is_server = matches!(store.kind(), Kind::Server(_)) && party != Party::Client;
        let beginning = Beginning {
            setup: setup.clone(),
            role,
            network: network.clone(),
            sides: self.host.sides(),
            skew_ns,
            server: is_server.then(|| store.text().to_owned()),
            resource: self.host.store.resource.clone(),
            run: self.run,
        };
        let member = Member::start(party, incarnation, self.host, self.inbox.sender())?;
        member.process.tell(&ToProcess::Begin(Box::new(beginning)))?;
        self.members.insert(party, member);
        Ok(())
    }

    /// Waits until a process says where it listens.
    fn wait_until_ready(&mut self, party: Party) -> Result<(), FailoverError> {
        let give_up = BootClock.now() + PATIENCE;
        while self.members.get(&party).is_some_and(|member| member.address.is_none()) {
            if BootClock.now() >= give_up {
                return Err(RunError::Silent { name: name(party), patience: PATIENCE }.into());
            }
            self.hear_until(give_up)?;
        }
        Ok(())
    }

    /// Tells all where all are. Whoever was killed is where nobody listens.
    fn tell_addresses(&self) -> Result<(), FailoverError> {
        let nodes = self.script.setup.nodes;
        let nowhere = (core::net::Ipv4Addr::LOCALHOST, 9).into();
        let address = |party| self.members.get(&party)?.address;
        let addresses: Vec<_> =
            (0..=nodes).map(|place| address(Party::at(place, nodes)).unwrap_or(nowhere)).collect();
        self.tell_all(|| ToProcess::Addresses(addresses.clone()))
    }

    fn tell_all(&self, message: impl Fn() -> ToProcess) -> Result<(), FailoverError> {
        self.members.values().try_for_each(|member| Ok(member.process.tell(&message())?))
    }

    /// Listens until a time.
    fn hear_up_to(&mut self, time: Instant) -> Result<(), FailoverError> {
        while BootClock.now() < time {
            self.hear_until(time)?;
        }
        Ok(())
    }

    /// Listens for one thing, but no longer than until a time.
    fn hear_until(&mut self, time: Instant) -> Result<(), FailoverError> {
        self.inbox.receive(time)?.map_or(Ok(()), |heard| self.take(heard))
    }

    fn take(&mut self, heard: Heard) -> Result<(), FailoverError> {
        let Heard { party, incarnation, what } = heard;
        let is_there = |member: &&mut Member| member.incarnation == incarnation;
        let member = self.members.get_mut(&party).filter(is_there);
        let said = match what.said(&name(party)) {
            // It was killed, perhaps in the middle of a word.
            Err(_) if member.is_none() => return Ok(()),
            said => said?,
        };
        match (said, member) {
            (FromProcess::Noted { at_ns, note }, _) => self.note_at(at_ns, party.into(), note),
            (FromProcess::Ready { port }, Some(member)) => {
                member.set_port(port);
                let process = member.process.number();
                self.note(party.into(), Note::Started { process })
            }
            (FromProcess::Failed(why), Some(_)) => {
                Err(RunError::Failed { name: name(party), why }.into())
            }
            // Questions are answered by whoever listens.
            (FromProcess::Ready { .. } | FromProcess::Failed(_), None)
            | (FromProcess::Ask { .. }, _) => Ok(()),
        }
    }

    fn note(&mut self, who: Who, note: Note) -> Result<(), FailoverError> {
        self.note_at(BootClock.now().as_nanos(), who, note)
    }

    fn note_at(&mut self, at_ns: u64, who: Who, note: Note) -> Result<(), FailoverError> {
        match (&who, &note) {
            (Who::Node(node), Note::Leads { .. }) => self.leader = Some(*node),
            // A fault that is for the leader waits for the next one.
            (Who::Node(node), Note::SteppedDown { .. }) | (_, Note::Killed { node })
                if self.leader == Some(*node) =>
            {
                self.leader = None;
            }
            (_, Note::Drained) => self.is_drained = true,
            _ => {}
        }
        let entry = Entry { at_ns, who, note };
        (self.show)(&entry)?;
        self.history.entries.push(entry);
        Ok(())
    }
}

/// Returns what is to be known of a store before a run on it is called clean.
fn notes(script: &Script, of_store: Option<&str>) -> Vec<String> {
    let lease = script.setup.timing.lease;
    let is_etcd = *script.store.kind() == Kind::Server(Server::Etcd);
    let longer = (is_etcd && lease < SHORTEST_OF_ETCD).then(|| {
        format!(
            "etcd counts leases in whole seconds, and grants none that is shorter than 2 s as it comes: one that is \
             asked for as {lease:?} lasts longer, and so does a failover; take a --detection-time of 2s or more"
        )
    });
    of_store.map(str::to_owned).into_iter().chain(longer).collect()
}

/// One and a half elections.
const SHORTEST_OF_ETCD: Duration = Duration::from_secs(2);

/// For how long a process is waited for to begin.
const PATIENCE: Duration = Duration::from_secs(30);

/// For how long a store is waited for that is not there at first: who mistook its address wants to know.
const TO_OPEN: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failover::simulation::paused_run;

    #[test]
    fn what_is_to_be_known_of_a_store_is_said() {
        let (setup, plan, _) = paused_run();
        let said = |store: &str, lease, of_store| {
            let mut setup = setup.clone();
            setup.timing.lease = lease;
            let (plan, network, store) = (plan.clone(), Network::default(), store.parse().unwrap());
            notes(&Script { setup, plan, network, store }, of_store)
        };
        let [short, long] = [1999, 2000].map(Duration::from_millis);
        assert!(said("etcd://a:1", long, None).is_empty());
        assert!(said("redis://a:1", short, None).is_empty());
        let notes = said("etcd://a:1", short, Some("it may forget"));
        assert_eq!(notes.len(), 2);
        assert_eq!(notes[0], "it may forget");
        assert!(notes[1].contains("asked for as 1.999s"), "{}", notes[1]);
    }
}

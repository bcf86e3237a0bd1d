use std::collections::{BTreeMap, BTreeSet};

use surmise_fence::FencingToken;

use super::{Loss, Observer, Outage};
use crate::failover::{
    faults::{Place, reaches},
    history::{Entry, History, Note, Who},
    message::Op,
};

/// Finds the outages of leaders in a history of so many nodes.
pub(in crate::failover) fn outages(history: &History, nodes: usize) -> Vec<Outage> {
    let mut entries: Vec<_> = history.entries.iter().collect();
    // They were heard of a little later than they happened.
    entries.sort_by_key(|entry| entry.at_ns);
    let mut seen = Seen::new(nodes);
    for entry in &entries {
        seen.take(entry);
    }
    let end = entries.last().map_or(0, |entry| entry.at_ns);
    let ended = seen.found.into_iter().map(|lost| match lost.back_ns {
        Some(_) => {
            let is_replaced = lost.has_stepped_down || lost.outage.replaced_ns.is_some();
            let went_on = lost.outage.went_on || lost.has_written && !is_replaced;
            Outage { went_on, ..lost.outage }
        }
        None => Outage { lasted_ns: end - lost.at_ns, ..lost.outage },
    });
    ended.collect()
}

/// What is known of a run up to some time.
struct Seen {
    nodes: Vec<Node>,
    sides: Vec<Vec<Place>>,
    /// Who suspects whom.
    suspicions: BTreeSet<(usize, usize)>,
    leader: Option<(usize, FencingToken)>,
    /// When each write was asked for first.
    asked: BTreeMap<Op, u64>,
    found: Vec<Lost>,
}

#[derive(Clone, Copy, Default)]
struct Node {
    is_stopped: bool,
    is_gone: bool,
}

/// An outage, which goes on as long as it is not known when it ended.
struct Lost {
    at_ns: u64,
    token: FencingToken,
    back_ns: Option<u64>,
    /// What the client has to wait for now has another cause.
    is_over: bool,
    /// It wrote by the same lease when it was back.
    has_written: bool,
    /// It stepped down when it was back.
    has_stepped_down: bool,
    outage: Outage,
}

impl Seen {
    fn new(nodes: usize) -> Self {
        Self {
            nodes: vec![Node::default(); nodes],
            sides: Vec::new(),
            suspicions: BTreeSet::new(),
            leader: None,
            asked: BTreeMap::new(),
            found: Vec::new(),
        }
    }

    fn take(&mut self, entry: &Entry) {
        let at_ns = entry.at_ns;
        match (entry.who, &entry.note) {
            (Who::Node(node), Note::Leads { token, .. }) => self.leader = Some((node, *token)),
            (Who::Node(node), Note::SteppedDown { .. }) => {
                self.leader = self.leader.filter(|(leader, _)| *leader != node);
                let is_its = |lost: &&mut Lost| lost.outage.node == node && !lost.is_over;
                let back = self.found.iter_mut().filter(is_its);
                back.for_each(|lost| lost.has_stepped_down |= lost.back_ns.is_some());
            }
            (Who::Node(node), Note::Suspected { peer, .. }) => {
                self.suspicions.insert((node, *peer));
                self.suspected(node, *peer, Some(at_ns));
            }
            (Who::Node(node), Note::Trusted { peer, .. }) => {
                self.suspicions.remove(&(node, *peer));
                // It is the last suspicion that counts, after which there is no trust.
                self.suspected(node, *peer, None);
            }
            (Who::Node(_), Note::Convicted { subject, .. }) => {
                for lost in self.open(*subject) {
                    lost.outage.convicted_ns.get_or_insert(at_ns - lost.at_ns);
                }
            }
            (Who::Client, Note::Invoked { op, .. }) => _ = self.asked.entry(*op).or_insert(at_ns),
            (Who::Node(node), Note::Applied { record, sent_ns, .. }) => {
                let asked_ns = self.asked.get(&record.op);
                let of_lease = |lost: &&mut Lost| {
                    lost.outage.node == node && lost.token == record.token && !lost.is_over
                };
                for lost in self.found.iter_mut().filter(of_lease) {
                    let Some(back_ns) = lost.back_ns else { continue };
                    lost.has_written |= back_ns <= *sent_ns;
                    // What it had in its queue it writes though its lease is over. What it takes on, it does not.
                    lost.outage.went_on |= asked_ns.is_some_and(|asked_ns| back_ns <= *asked_ns);
                    lost.is_over |= lost.outage.went_on;
                }
            }
            (Who::Client, Note::Acknowledged { .. }) => self.acknowledged(at_ns),
            (Who::Director, note) => self.done(note, at_ns),
            _ => {}
        }
    }

    /// Takes in what was done to the nodes.
    fn done(&mut self, note: &Note, at_ns: u64) {
        let was_lost = self.lost();
        let how = match note {
            Note::Paused { node } => self.change(*node, Loss::Stopped, |it| it.is_stopped = true),
            Note::Resumed { node } => self.change(*node, Loss::Stopped, |it| it.is_stopped = false),
            Note::Killed { node } => self.change(*node, Loss::Killed, |it| it.is_gone = true),
            Note::Restarted { node } => {
                self.suspicions.retain(|(observer, _)| observer != node);
                self.change(*node, Loss::Killed, |it| *it = Node::default())
            }
            Note::Cut { sides } => {
                self.sides.clone_from(sides);
                Loss::CutOff
            }
            Note::Healed => {
                self.sides.clear();
                Loss::CutOff
            }
            _ => return,
        };
        for (node, (was, is)) in was_lost.into_iter().zip(self.lost()).enumerate() {
            match (was, is) {
                (false, true) => self.begin(node, how, at_ns),
                (true, false) => self.end(node, at_ns),
                _ => {}
            }
        }
        self.dismiss();
        if let Note::Killed { node } = note {
            self.leader = self.leader.filter(|(leader, _)| leader != node);
        }
    }

    fn change(&mut self, node: usize, how: Loss, change: impl FnOnce(&mut Node)) -> Loss {
        if let Some(node) = self.nodes.get_mut(node) {
            change(node);
        }
        how
    }

    /// Returns of each node whether it could not lead, if it did.
    fn lost(&self) -> Vec<bool> {
        let lost = |(node, it): (usize, &Node)| {
            let place = Place::Node(node);
            let reached = |other: &usize| reaches(&self.sides, place, Place::Node(*other));
            let is_alone = (0..self.nodes.len()).filter(reached).count() <= self.nodes.len() / 2;
            it.is_stopped || it.is_gone || is_alone || !reaches(&self.sides, place, Place::Store)
        };
        self.nodes.iter().enumerate().map(lost).collect()
    }

    fn begin(&mut self, node: usize, how: Loss, at_ns: u64) {
        let Some((_, token)) = self.leader.filter(|(leader, _)| *leader == node) else { return };
        // What it was lost for before, it came back from.
        let before = self.found.iter_mut().filter(|lost| lost.token == token);
        before.for_each(|lost| lost.is_over = true);
        let others = (0..self.nodes.len()).filter(|&other| other != node);
        let observers = others.filter(|&other| self.misses(other, node)).map(|other| {
            let suspected_ns = self.suspicions.contains(&(other, node)).then_some(0);
            Observer { node: other, suspected_ns }
        });
        let outage = Outage {
            node,
            how,
            nodes: self.nodes.len(),
            observers: observers.collect(),
            convicted_ns: None,
            lasted_ns: 0,
            is_back: false,
            went_on: false,
            replaced_ns: None,
        };
        self.found.push(Lost {
            at_ns,
            token,
            back_ns: None,
            is_over: false,
            has_written: false,
            has_stepped_down: false,
            outage,
        });
    }

    fn end(&mut self, node: usize, at_ns: u64) {
        for lost in self.open(node) {
            lost.back_ns = Some(at_ns);
            lost.outage.is_back = true;
            lost.outage.lasted_ns = at_ns - lost.at_ns;
        }
    }

    /// Leaves out who cannot say any more that a leader is lost, and did not before.
    fn dismiss(&mut self) {
        let mut found = core::mem::take(&mut self.found);
        for Lost { outage, .. } in found.iter_mut().filter(|lost| lost.back_ns.is_none()) {
            outage.observers.retain(|observer| {
                observer.suspected_ns.is_some() || self.misses(observer.node, outage.node)
            });
        }
        self.found = found;
    }

    /// Returns whether one is there, and hears nothing of another.
    fn misses(&self, observer: usize, subject: usize) -> bool {
        let is_silent = |it: &Node| it.is_stopped || it.is_gone;
        let is = |node: usize| self.nodes.get(node).is_some_and(is_silent);
        let [one, other] = [observer, subject].map(Place::Node);
        !is(observer) && (is(subject) || !reaches(&self.sides, one, other))
    }

    /// Returns the outages of a node that go on.
    fn open(&mut self, node: usize) -> impl Iterator<Item = &mut Lost> {
        let open = move |lost: &&mut Lost| lost.outage.node == node && lost.back_ns.is_none();
        self.found.iter_mut().filter(open)
    }

    fn suspected(&mut self, observer: usize, peer: usize, at_ns: Option<u64>) {
        for lost in self.open(peer) {
            let of = lost.outage.observers.iter_mut().filter(|it| it.node == observer);
            of.for_each(|it| it.suspected_ns = at_ns.map(|at_ns| at_ns - lost.at_ns));
        }
    }

    fn acknowledged(&mut self, at_ns: u64) {
        let Some((_, now)) = self.leader else { return };
        for lost in self.found.iter_mut().filter(|lost| lost.token < now && !lost.is_over) {
            lost.outage.replaced_ns = Some(at_ns - lost.at_ns);
            lost.is_over = true;
        }
    }
}

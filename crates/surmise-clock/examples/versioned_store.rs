//! A versioned store of three replicas in one process, and the conflict of Dynamo's figure 3.
//!
//! A client adds to a shopping basket while the replicas `y` and `z` cannot reach each other. Both take
//! a write, both values are kept, and whoever reads them next puts them together. Then two clients keep
//! overwriting each other's basket, and it does not fill with what was replaced long ago.
//!
//! The figure is that of DeCandia, Hastorun, Jampani, Kakulapati, Lakshman, Pilchin, Sivasubramanian,
//! Vosshall and Vogels, "Dynamo: Amazon's Highly Available Key-value Store", SOSP 2007.
//!
//! Run it with `cargo run -p surmise-clock --example versioned_store`.

#![expect(clippy::std_instead_of_alloc, reason = "a program with `std` imports from it")]

use std::collections::BTreeMap;

use surmise_clock::{CausalOrder, Dot, DottedVersionVectorSet, PutError, VectorClock};

type Context = VectorClock<char>;
type Basket = Vec<&'static str>;

/// A node of the store: it answers reads and takes writes without asking anybody.
struct Replica {
    id: char,
    keys: BTreeMap<&'static str, DottedVersionVectorSet<char, Basket>>,
}

impl Replica {
    fn new(id: char) -> Self {
        Self { id, keys: BTreeMap::new() }
    }

    /// Returns the values that nobody has replaced, and the context to replace them with.
    fn get(&self, key: &str) -> (Vec<Basket>, Context) {
        let Some(siblings) = self.keys.get(key) else { return Default::default() };
        (siblings.values().cloned().collect(), siblings.context().clone())
    }

    /// Replaces what the context has seen.
    fn put(
        &mut self,
        key: &'static str,
        context: &Context,
        basket: Basket,
    ) -> Result<Dot<char>, PutError<char, Basket>> {
        let dot = self.keys.entry(key).or_default().put(context, &self.id, basket)?;
        println!("{} takes write {dot}; it now holds {}", self.id, self.describe(key));
        Ok(dot)
    }

    /// Takes over what another replica has seen: replication, read repair and anti-entropy alike.
    fn sync(&mut self, other: &Self) {
        for (&key, siblings) in &other.keys {
            self.keys.entry(key).or_default().sync(siblings);
            println!("{} hears from {}; it now holds {}", self.id, other.id, self.describe(key));
        }
    }

    fn describe(&self, key: &str) -> String {
        let (values, context) = self.get(key);
        let context: Vec<_> = context.iter().map(|(id, count)| format!("{id}:{count}")).collect();
        format!("{values:?} at [{}]", context.join(" "))
    }
}

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let [mut x, mut y, mut z] = ['x', 'y', 'z'].map(Replica::new);

    println!("D1 and D2: one replica, and each write has read the one before it.");
    let (_, nothing) = x.get("basket");
    x.put("basket", &nothing, vec!["milk"])?;
    let (_, d1) = x.get("basket");
    x.put("basket", &d1, vec!["milk", "flour"])?;
    let (values, d2) = x.get("basket");
    assert_eq!(values, [["milk", "flour"]], "the ancestor is dropped");

    println!("\nD3 and D4: both replace D2, at replicas that cannot reach each other.");
    y.sync(&x);
    z.sync(&x);
    y.put("basket", &d2, vec!["milk", "flour", "eggs"])?;
    z.put("basket", &d2, vec!["milk", "flour", "tea"])?;
    let (d3, d4) = (y.get("basket").1, z.get("basket").1);
    assert_eq!(d2.causal_order(&d3), CausalOrder::Before);
    assert_eq!(d3.causal_order(&d4), CausalOrder::Concurrent);

    println!("\nThey meet at x. D2 is an ancestor of both, and only they are kept.");
    x.sync(&y);
    x.sync(&z);
    let (siblings, both) = x.get("basket");
    assert_eq!(siblings, [["milk", "flour", "eggs"], ["milk", "flour", "tea"]]);

    println!("\nD5: the reader knows what a basket is, and puts the two together.");
    x.put("basket", &both, union(&siblings))?;
    y.sync(&x);
    z.sync(&x);
    for replica in [&x, &y, &z] {
        let (values, d5) = replica.get("basket");
        assert_eq!(values, [["milk", "flour", "eggs", "tea"]]);
        assert_eq!(d5, [('x', 3), ('y', 1), ('z', 1)].into_iter().collect());
    }

    println!("\nTwo clients take turns at x, each without having read the other's last write.");
    let mut contexts = [x.get("basket").1, x.get("basket").1];
    for round in 0..6 {
        let [context, other] = &mut contexts;
        x.put("basket", context, vec![if round % 2 == 0 { "Ann's" } else { "Bob's" }])?;
        *context = x.get("basket").1;
        core::mem::swap(context, other);
    }
    let (siblings, _) = x.get("basket");
    assert_eq!(siblings, [["Bob's"], ["Ann's"]], "one value a client, however long they go on");
    Ok(())
}

/// Puts baskets together: whatever is in one of them, once, in the order in which it is found.
fn union(baskets: &[Basket]) -> Basket {
    let mut union = Basket::new();
    for item in baskets.iter().flatten() {
        if !union.contains(item) {
            union.push(item);
        }
    }
    union
}

//! Executors and servers that are killed between an effect in the database and its completion in the same transaction: every
//! effect is there once, though nobody who recovers looks.
//!
//! The test starts itself again as the executor that it kills.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]
#![expect(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "these keep libraries honest that do without std; a test has it"
)]

mod support {
    pub(crate) mod postgres;
    pub(crate) mod servers;
}

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    time::Duration,
};

use fastrand::Rng;
use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{
    BoxError, Claimed, IdempotencyStore as _, Settlement, Terms, Ticket,
    postgres::{self, PostgresConfig, PostgresStore},
};
use tokio_postgres::{Client, NoTls};

use self::support::servers::Postgres;

const URL: &str = "SURMISE_TEST_EXECUTIONS";
const KEYS: u32 = 300;
/// Leases end soon, so that the next executor recovers from what the last one left.
const TERMS: Terms = Terms {
    lease: Duration::from_millis(20),
    retention: Duration::from_secs(3600),
    brief_retention: Duration::from_secs(3600),
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_executors_and_servers_leave_every_effect_once() {
    let Some(postgres) = Postgres::find() else { return };
    let mut server = postgres.start();
    connect(server.url()).await.unwrap();
    let client = server.client("postgres").await;
    let table = "CREATE TABLE effect (key text NOT NULL, token text NOT NULL)";
    client.batch_execute(table).await.unwrap();
    let mut rng = Rng::with_seed(9);
    let mut acknowledged: BTreeMap<String, String> = BTreeMap::new();
    for round in 0..16 {
        let mut executor = start(server.url());
        let lines = BufReader::new(executor.stdout.take().unwrap()).lines();
        let mut said = lines.map_while(Result::ok).filter_map(|line| {
            let (_, said) = line.split_once("> ")?;
            Some(said.strip_suffix(" <")?.to_owned())
        });
        let mut hear = |said: String| {
            let Some((key, result)) = said.split_once(' ') else { return };
            let first = acknowledged.entry(key.to_owned()).or_insert_with(|| result.to_owned());
            assert_eq!(first, result, "{key} had another result before");
        };
        // The server is killed under every fourth, and the executor goes on.
        for _ in 0..=u8::from(round % 4 == 3) {
            said.by_ref().take(rng.usize(1..30)).for_each(&mut hear);
            if round % 4 == 3 {
                server.restart();
            }
        }
        executor.kill().unwrap();
        executor.wait().unwrap();
        said.for_each(hear);
    }
    assert!(acknowledged.len() > 40, "{}", acknowledged.len());
    let client = server.client("postgres").await;
    let mut effects: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in client.query("SELECT key, token FROM effect", &[]).await.unwrap() {
        effects.entry(row.get(0)).or_default().push(row.get(1));
    }
    let store = connect(server.url()).await.unwrap();
    for (key, tokens) in &effects {
        assert_eq!(tokens.len(), 1, "the effects of {key}");
        // The effect is there, and so is its completion.
        match store.begin(&name(key), Fingerprint::NONE, TERMS).await.unwrap() {
            Claimed::Replay(replayed) => assert_eq!(replayed, tokens[0].as_bytes()),
            other => panic!("{key}: {other:?}"),
        }
    }
    for (key, result) in &acknowledged {
        assert_eq!(effects.get(key).map(|tokens| &*tokens[0]), Some(&**result));
    }
}

/// The executor, in a process of its own: it executes one key after another, and says their results.
#[tokio::test]
#[ignore = "is started by the other test, and killed by it"]
async fn executor() {
    let Ok(url) = env::var(URL) else { return };
    let store = connect(&url).await.unwrap();
    let mut client = None;
    let mut random = Rng::new();
    loop {
        let key = random.u32(..KEYS).to_string();
        // Whatever goes wrong, it is asked again what to do.
        while !is_answered(&store, &url, &mut client, &key).await {
            tokio::time::sleep(TERMS.lease / 4).await;
        }
    }
}

async fn is_answered(
    store: &PostgresStore,
    url: &str,
    client: &mut Option<Client>,
    key: &str,
) -> bool {
    let result = match store.begin(&name(key), Fingerprint::NONE, TERMS).await {
        Ok(Claimed::Replay(result)) => String::from_utf8(result).ok(),
        // What is there, is there with its completion; so there is nothing to be looked for.
        Ok(Claimed::Execute(ticket) | Claimed::Recover(ticket)) => {
            let executed = execute(url, client, key, &ticket).await;
            if executed.is_err() {
                *client = None;
            }
            executed.ok()
        }
        _ => None,
    };
    if let Some(result) = &result {
        say(&format!("{key} {result}"));
    }
    result.is_some()
}

async fn execute(
    url: &str,
    client: &mut Option<Client>,
    key: &str,
    ticket: &Ticket,
) -> Result<String, BoxError> {
    let client = match client {
        Some(client) => client,
        none => {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(async { _ = connection.await });
            none.insert(client)
        }
    };
    let token = ticket.token().to_string();
    let transaction = client.transaction().await?;
    transaction.execute("INSERT INTO effect VALUES ($1, $2)", &[&key, &token]).await?;
    // Whoever is to kill it has an opportunity, here and below.
    say(key);
    let receipt = Settlement::complete(token.as_bytes(), TERMS.retention)?;
    postgres::settle(&transaction, ticket, receipt).await??;
    say(key);
    transaction.commit().await?;
    Ok(token)
}

/// Writes a line at once.
fn say(said: &str) {
    // If the other end is gone, so is the test.
    if std::io::stdout().lock().write_all(format!("> {said} <\n").as_bytes()).is_err() {
        std::process::exit(1);
    }
}

async fn connect(url: &str) -> Result<PostgresStore, BoxError> {
    Ok(PostgresStore::connect(url.parse()?, PostgresConfig::default()).await?.0)
}

fn name(key: &str) -> Key {
    Key::new("tenant", "charge", key).unwrap()
}

fn start(url: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "executor", "--ignored", "--nocapture"])
        .env(URL, url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

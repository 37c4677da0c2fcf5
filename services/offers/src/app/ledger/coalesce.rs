//! Calls that wait at the same time are decided together: one lock round for many accounts in the order of their ids, and
//! one statement for each table. A group is whatever waits when a place to write is free; nothing waits for a timer.
//!
//! ```text
//! call → queue ──(a place is free: the caller takes all that waits)──▶ judged without lock ─ refused → answer
//!                                                       │                    └─ allowed ─┐
//!                                                       └──(most are granted of late)────┴▶ locked, judged → answer
//! ```
//! There is no task that could end: whoever waits either is answered or gets the place and leads the next group. How
//! many may wait is bounded by the requests that the server takes at once.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tracing::Span;
use upswell_runtime::{
    clock::Clock,
    db::{Db, retrying},
    problem::{Kind, Problem},
};

use super::{
    LedgerCtx, families,
    reserve::{Ask, Outcome, reserve_all_in, settle},
    sheet::{Sheets, Wanted},
};
use crate::{
    domain::ledger::{Judgement, Reserve, Touch},
    store,
};

/// Two writers keep PostgreSQL busier than one; SQLite has only one.
const WRITERS_POSTGRES: usize = 2;
/// Calls in one group.
const GROUP: usize = 256;

/// What becomes of a call.
pub(super) type Answer = Result<Result<Touch, Judgement>, Problem>;

/// The way to the writers.
#[derive(Debug, Clone)]
pub(super) struct Coalescer {
    writers: Arc<Semaphore>,
    waiting: Arc<Mutex<Vec<Waiting>>>,
    numbers: Arc<AtomicU64>,
}

/// A call with whoever waits for it.
#[derive(Debug)]
struct Waiting {
    number: u64,
    ask: Ask,
    answer: oneshot::Sender<Answer>,
}

/// What a group is decided over.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    pub(super) db: Db,
    pub(super) ctx: Arc<LedgerCtx>,
    pub(super) clock: Clock,
    refusing: Arc<AtomicBool>,
}

impl Coalescer {
    /// For this store.
    pub(super) fn new(db: &Db) -> Self {
        let writers = if store::has_one_writer(db) { 1 } else { WRITERS_POSTGRES };
        Self {
            writers: Arc::new(Semaphore::new(writers)),
            waiting: Arc::default(),
            numbers: Arc::default(),
        }
    }

    /// The answer to `command`, decided together with whatever else waits.
    pub(super) async fn reserve(&self, desk: &Desk, command: &Reserve) -> Answer {
        let (answer, mut answered) = oneshot::channel();
        let ask = Ask {
            command: command.clone(),
            span: Span::current(),
        };
        let number = self.enqueue(ask, answer);
        while self.waits(number) {
            let turn = tokio::select! {
                biased;
                answer = &mut answered => return answer.unwrap_or_else(lost),
                turn = Arc::clone(&self.writers).acquire_owned() => turn.map_err(Problem::internal)?,
            };
            let group = self.group();
            if !group.is_empty() {
                // In a task of its own: this caller may give up, the others of its group do not.
                tokio::spawn(decide(desk.clone(), group, turn));
            }
        }
        answered.await.unwrap_or_else(lost)
    }

    fn enqueue(&self, ask: Ask, answer: oneshot::Sender<Answer>) -> u64 {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.queue().push(Waiting { number, ask, answer });
        number
    }

    /// Whether no group has taken the call yet.
    fn waits(&self, number: u64) -> bool {
        self.queue().iter().any(|waiting| waiting.number == number)
    }

    /// What waits, the longest first, without calls that nobody waits for any more.
    fn group(&self) -> Vec<Waiting> {
        let mut queue = self.queue();
        queue.retain(|waiting| !waiting.answer.is_closed());
        let count = queue.len().min(GROUP);
        queue.drain(..count).collect()
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        // Nothing that could panic happens under the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_away(problem: &Problem) -> bool {
    matches!(
        problem.kind(),
        Kind::Unavailable | Kind::ResourceExhausted | Kind::DeadlineExceeded
    )
}

fn lost<T>(_: T) -> Answer {
    Err(Problem::unavailable(
        "NOT_ANSWERED",
        "the call was not answered: ask again",
    ))
}

/// Answers a group.
async fn decide(desk: Desk, group: Vec<Waiting>, _turn: OwnedSemaphorePermit) {
    let (asks, answers): (Vec<Ask>, Vec<_>) = group.into_iter().map(|waiting| (waiting.ask, waiting.answer)).unzip();
    for (answer, outcome) in answers.into_iter().zip(desk.decide_all(&asks).await) {
        // Nobody waits any more when this fails: what was granted is granted all the same, and known by its key.
        let _ = answer.send(outcome);
    }
}

impl Desk {
    /// Over this ledger.
    pub(super) fn new(db: Db, ctx: Arc<LedgerCtx>, clock: Clock) -> Self {
        let refusing = Arc::default();
        Self {
            db,
            ctx,
            clock,
            refusing,
        }
    }

    /// The answers to calls, in their order. What fails as a group is tried call by call, so that only the culprit fails;
    /// the keys make sure that nothing is granted twice if the group was stored after all.
    pub(super) async fn decide_all(&self, asks: &[Ask]) -> Vec<Answer> {
        match self.decide(asks).await {
            Ok(all) => all,
            Err(problem) if asks.len() == 1 => vec![Err(problem)],
            // The store is away or stands still: one by one they would wait for it in turn, and nobody else could write.
            Err(problem) if is_away(&problem) => asks.iter().map(|_| Err(problem.clone())).collect(),
            Err(problem) => {
                tracing::info!(group.calls = asks.len(), error = %problem, "a group failed, its calls go one by one");
                let mut all = Vec::with_capacity(asks.len());
                for ask in asks {
                    let alone = self.decide(std::slice::from_ref(ask)).await;
                    all.push(alone.and_then(|mut only| only.pop().unwrap_or_else(|| lost(()))));
                }
                all
            }
        }
    }

    async fn decide(&self, asks: &[Ask]) -> Result<Vec<Answer>, Problem> {
        // A refusal by what was committed a moment ago is as true as one that waited for the lock, and much cheaper; but
        // while most are granted, looking first is looking twice.
        let mut answers: Vec<Option<Answer>> = if self.refusing.load(Ordering::Relaxed) {
            self.look(asks).await?
        } else {
            asks.iter().map(|_| None).collect()
        };
        let open = asks.iter().zip(&answers).filter(|(_, answer)| answer.is_none());
        let open: Vec<&Ask> = open.map(|(ask, _)| ask).collect();
        let mut granted = Vec::new();
        if !open.is_empty() {
            granted = retrying(|| self.grant(&open)).await?;
        }
        let mut granted = granted.into_iter();
        for answer in &mut answers {
            *answer = answer.take().or_else(|| granted.next());
        }
        let refused = answers
            .iter()
            .filter(|answer| matches!(answer, Some(Ok(Err(_)))))
            .count();
        self.refusing.store(refused * 2 > asks.len(), Ordering::Relaxed);
        Ok(answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|| lost(())))
            .collect())
    }

    /// The answers that need no lock.
    async fn look(&self, asks: &[Ask]) -> Result<Vec<Option<Answer>>, Problem> {
        let (ctx, now) = (&*self.ctx, self.clock.now());
        let commands = || asks.iter().map(|ask| &ask.command);
        let families = families(self.db.reader(), commands().map(|command| &command.account_id), now).await?;
        let sheets = Sheets::gather(self.db.reader(), ctx, families, Wanted::by(commands()), now).await?;
        Ok(commands()
            .map(|command| settle(&sheets, ctx, command).break_value())
            .collect())
    }

    async fn grant(&self, asks: &[&Ask]) -> Result<Vec<Outcome>, Problem> {
        let tx = self.db.begin().await?;
        let outcomes = reserve_all_in(&tx, &self.ctx, asks, self.clock.now()).await?;
        tx.commit().await?;
        Ok(outcomes)
    }
}

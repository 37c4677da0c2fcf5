//! Group commit: requests that wait at the same time share one transaction, so that the price of a durable commit is
//! paid once for all of them. A group is whatever waits when a writer is free; nothing waits for a timer.
//!
//! ```text
//! request → room for its facts? ── no → RESOURCE_EXHAUSTED (a stream waits instead)
//!                               └─ yes → queue → group → one transaction → answer each
//!                                                     ├─ the store is away → each is told so
//!                                                     └─ it fails → each by itself, so that only the culprit fails
//! ```

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tracing::Instrument as _;
use upswell_runtime::problem::{Kind, Problem};

use super::record::{Command, Recorder};
use crate::{config::Limits, domain::intake::Outcome, store};

/// When a refused caller should come back.
const PUSHBACK: Duration = Duration::from_millis(200);
/// Two writers keep PostgreSQL busier than one; SQLite has only one.
const WRITERS_POSTGRES: usize = 2;

/// What becomes of a batch.
pub(crate) type Answer = Result<Vec<Outcome>, Problem>;

/// The way to the writers. They end when the last clone is gone.
#[derive(Clone)]
pub(super) struct Committer {
    room: Arc<Semaphore>,
    queue: mpsc::UnboundedSender<Waiting>,
}

/// A batch with whoever waits for it.
struct Waiting {
    command: Command,
    answer: oneshot::Sender<Answer>,
    _room: OwnedSemaphorePermit,
}

struct Queue {
    coming: mpsc::UnboundedReceiver<Waiting>,
    /// Came, but belongs to a later group.
    held: VecDeque<Waiting>,
}

impl Committer {
    /// Starts the writers.
    pub(super) fn start(recorder: &Recorder, limits: &Limits) -> Self {
        let (queue, coming) = mpsc::unbounded_channel();
        let waiting = Arc::new(Mutex::new(Queue {
            coming,
            held: VecDeque::new(),
        }));
        let writers = if store::has_one_writer(recorder.db()) {
            1
        } else {
            WRITERS_POSTGRES
        };
        for _ in 0..writers {
            tokio::spawn(write(recorder.clone(), Arc::clone(&waiting), limits.group_facts));
        }
        let room = Arc::new(Semaphore::new(limits.queued_facts));
        Self { room, queue }
    }

    /// The answer to a batch, which is refused when there is no room for its facts.
    pub(super) async fn record(&self, command: Command) -> Answer {
        let room = Arc::clone(&self.room).try_acquire_many_owned(room_for(&command));
        let room = room.map_err(|_| {
            let message = "too many facts wait to be recorded";
            Problem::resource_exhausted("OVERLOADED", message, PUSHBACK)
        })?;
        answered(self.enqueue(command, room)).await
    }

    /// Enqueues a batch as soon as there is room for its facts.
    pub(super) async fn enqueue_patiently(&self, command: Command) -> oneshot::Receiver<Answer> {
        match Arc::clone(&self.room).acquire_many_owned(room_for(&command)).await {
            Ok(room) => self.enqueue(command, room),
            // The semaphore is never closed; a receiver without sender reads as stopped.
            Err(_) => oneshot::channel().1,
        }
    }

    fn enqueue(&self, command: Command, room: OwnedSemaphorePermit) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        // A failed send drops the sender, which the receiver sees.
        let _ = self.queue.send(Waiting {
            command,
            answer,
            _room: room,
        });
        answered
    }
}

/// What the writers answered. Errors: UNAVAILABLE when they are gone, or did not get to answer.
pub(crate) async fn answered(answer: oneshot::Receiver<Answer>) -> Answer {
    let lost = |_| {
        Err(Problem::unavailable(
            "NOT_ANSWERED",
            "the batch was not answered: send it again",
        ))
    };
    answer.await.unwrap_or_else(lost)
}

fn room_for(command: &Command) -> u32 {
    u32::try_from(command.facts.len()).unwrap_or(u32::MAX)
}

async fn write(recorder: Recorder, queue: Arc<Mutex<Queue>>, facts_max: usize) {
    loop {
        let group = queue.lock().await.group(facts_max).await;
        if group.is_empty() {
            return;
        }
        // In a task of its own, so that a fault of ours costs one group its answers and not the service its writer.
        if tokio::spawn(commit(recorder.clone(), group)).await.is_err() {
            tracing::error!("a writer panicked");
        }
    }
}

impl Queue {
    /// The next group: the first batch that waits, and what waits behind it up to `facts_max` facts; empty at the end.
    /// Two batches under one request id never meet in a group: the second is to see what the first was answered.
    async fn group(&mut self, facts_max: usize) -> Vec<Waiting> {
        let first = match self.held.pop_front() {
            Some(first) => first,
            None => match self.coming.recv().await {
                Some(first) => first,
                None => return Vec::new(),
            },
        };
        let mut facts = first.command.facts.len();
        let mut ids: BTreeSet<String> = first.command.request_id().map(str::to_owned).into_iter().collect();
        let mut group = vec![first];
        while let Some(next) = self.held.pop_front().or_else(|| self.coming.try_recv().ok()) {
            let twin = next.command.request_id().is_some_and(|id| ids.contains(id));
            if twin || facts + next.command.facts.len() > facts_max {
                self.held.push_front(next);
                break;
            }
            facts += next.command.facts.len();
            ids.extend(next.command.request_id().map(str::to_owned));
            group.push(next);
        }
        group
    }
}

/// Records a group and answers each. What fails as a group is tried batch by batch, unless every batch would fail alike.
async fn commit(recorder: Recorder, group: Vec<Waiting>) {
    let (commands, answers): (Vec<Command>, Vec<_>) = group
        .into_iter()
        .map(|waiting| (waiting.command, (waiting.answer, waiting._room)))
        .unzip();
    let span = commands
        .first()
        .map_or_else(tracing::Span::none, |first| first.span.clone());
    let recorded = recorder.record(&commands).instrument(span).await;
    let all = match recorded {
        Ok(all) => all,
        Err(problem) if commands.len() == 1 || is_everybodys(&problem) => vec![Err(problem); commands.len()],
        Err(problem) => {
            tracing::info!(group.batches = commands.len(), error = %problem, "a group failed, its batches go one by one");
            one_by_one(&recorder, &commands).await
        }
    };
    for ((answer, _room), outcome) in answers.into_iter().zip(all) {
        // Nobody waits any more when this fails: the facts are recorded all the same.
        let _ = answer.send(outcome);
    }
}

/// True for what no batch is the culprit of: the store is away, busy or full. Each batch would wait for it anew. A lock that
/// is not had in time is about one account.
fn is_everybodys(problem: &Problem) -> bool {
    let kinds = [Kind::Unavailable, Kind::DeadlineExceeded, Kind::ResourceExhausted];
    kinds.contains(&problem.kind()) && problem.reason() != "STORE_LOCKED"
}

async fn one_by_one(recorder: &Recorder, commands: &[Command]) -> Vec<Answer> {
    let mut all = Vec::with_capacity(commands.len());
    for command in commands {
        let alone = recorder
            .record(std::slice::from_ref(command))
            .instrument(command.span.clone())
            .await;
        all.push(alone.and_then(|mut answers| {
            let lost = || Err(Problem::internal("a batch was not answered"));
            answers.pop().unwrap_or_else(lost)
        }));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f39_a_store_that_is_away_is_asked_once_for_a_group_and_other_faults_are_somebodys() {
        let kinds = [
            (Kind::Unavailable, true),
            (Kind::DeadlineExceeded, true),
            (Kind::ResourceExhausted, true),
            (Kind::Aborted, false),
            (Kind::Internal, false),
            (Kind::FailedPrecondition, false),
        ];
        for (kind, everybodys) in kinds {
            assert_eq!(is_everybodys(&Problem::new(kind, "X", "x")), everybodys, "{kind:?}");
        }
        assert!(!is_everybodys(&Problem::unavailable("STORE_LOCKED", "x")));
    }
}

//! A mail server that keeps what it gets, and breaks when it is told to. The protocol is `mailin`'s; only the socket is
//! ours.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};

use mailin::{
    Action, Handler, Response, SessionBuilder,
    response::{INTERNAL_ERROR, NO_MAILBOX, OK},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// How it behaves from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Fine,
    /// 550: there is no such person.
    NobodyHere,
    /// 451 at the end of the message: not taken, try later.
    Busy,
    /// It takes the message, and the connection is cut before it says so.
    CutAfterMessage,
    /// The connection is cut before the message.
    CutBeforeMessage,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) text: String,
}

#[derive(Clone)]
pub(crate) struct Mailbox {
    pub(crate) port: u16,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    mood: Mood,
    mails: Vec<Mail>,
    connections: usize,
}

impl Mailbox {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Mutex::new(Shared {
            mood: Mood::Fine,
            mails: Vec::new(),
            connections: 0,
        }));
        let mailbox = Self {
            port,
            shared: Arc::clone(&shared),
        };
        tokio::spawn(async move {
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                shared.lock().unwrap().connections += 1;
                tokio::spawn(session(stream, peer.ip(), Arc::clone(&shared)));
            }
        });
        mailbox
    }

    pub(crate) fn mood(&self, mood: Mood) {
        self.shared.lock().unwrap().mood = mood;
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.shared.lock().unwrap().mails.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.lock().unwrap().connections
    }
}

impl Mail {
    /// The value of a header, unfolded.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let head = self.text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        let found = head.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
        found.map(|value| value.trim().to_owned())
    }
}

struct Clerk {
    shared: Arc<Mutex<Shared>>,
    mail: Mail,
    raw: Vec<u8>,
}

impl Clerk {
    fn mood(&self) -> Mood {
        self.shared.lock().unwrap().mood
    }
}

impl Handler for Clerk {
    fn mail(&mut self, _ip: IpAddr, _domain: &str, from: &str) -> Response {
        from.clone_into(&mut self.mail.from);
        OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        if self.mood() == Mood::NobodyHere {
            return NO_MAILBOX;
        }
        self.mail.to.push(to.to_owned());
        OK
    }

    fn data(&mut self, buffer: &[u8]) -> std::io::Result<()> {
        self.raw.extend_from_slice(buffer);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        if self.mood() == Mood::Busy {
            return INTERNAL_ERROR;
        }
        self.mail.text = String::from_utf8(std::mem::take(&mut self.raw)).unwrap();
        let mail = std::mem::take(&mut self.mail);
        self.shared.lock().unwrap().mails.push(mail);
        OK
    }
}

async fn session(stream: TcpStream, peer: IpAddr, shared: Arc<Mutex<Shared>>) {
    let clerk = Clerk {
        shared: Arc::clone(&shared),
        mail: Mail::default(),
        raw: Vec::new(),
    };
    let mut session = SessionBuilder::new("mail.example").build(peer, clerk);
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut answer = session.greeting();
    let taken = |shared: &Mutex<Shared>| shared.lock().unwrap().mails.len();
    loop {
        if answer.action == Action::Reply || answer.action == Action::Close {
            writer.write_all(&answer.buffer().unwrap()).await.unwrap();
        }
        let mut line = Vec::new();
        if answer.action == Action::Close || reader.read_until(b'\n', &mut line).await.unwrap_or_default() == 0 {
            return;
        }
        let before = taken(&shared);
        let mood = shared.lock().unwrap().mood;
        if mood == Mood::CutBeforeMessage && line.starts_with(b"DATA") {
            return;
        }
        answer = session.process(&line);
        if mood == Mood::CutAfterMessage && taken(&shared) > before {
            return;
        }
    }
}

//! A DNS server that knows what a test tells it.

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, MX, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;

/// A name and a record that it has.
type Entry = (Name, RData);

/// A zone to be served.
#[derive(Default)]
pub(super) struct Zone(Vec<Entry>);

impl Zone {
    /// With one more text at this name.
    pub(super) fn text(self, name: &str, text: &str) -> Self {
        // Two pieces, as long keys come in.
        let (one, two) = text.split_at(text.len() / 2);
        self.with(
            name,
            RData::TXT(TXT::new(vec![one.to_owned(), two.to_owned()])),
        )
    }

    /// With a server for the mails to this name.
    pub(super) fn exchanger(self, name: &str, server: &str) -> Self {
        self.with(
            name,
            RData::MX(MX::new(10, Name::from_ascii(server).unwrap())),
        )
    }

    /// With an address for this name.
    pub(super) fn address(self, name: &str) -> Self {
        self.with(name, RData::A(A(Ipv4Addr::LOCALHOST)))
    }

    fn with(mut self, name: &str, data: RData) -> Self {
        self.0
            .push((Name::from_ascii(format!("{name}.")).unwrap(), data));
        self
    }

    /// Serves it on loopback, for as long as the tests run.
    pub(super) fn serve(self) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
                if let Ok(question) = Message::from_vec(&buffer[..length]) {
                    let answer = self.answer(&question).to_vec().unwrap();
                    socket.send_to(&answer, peer).unwrap();
                }
            }
        });
        address
    }

    fn answer(&self, question: &Message) -> Message {
        let mut answer = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
        let Some(query) = question.queries.first() else {
            return answer;
        };
        answer.add_query(query.clone());
        let named: Vec<_> = self
            .0
            .iter()
            .filter(|(name, _)| name == query.name())
            .collect();
        if named.is_empty() {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        for (name, data) in named {
            if data.record_type() == query.query_type() {
                answer.add_answer(Record::from_rdata(name.clone(), 60, data.clone()));
            }
        }
        answer
    }
}

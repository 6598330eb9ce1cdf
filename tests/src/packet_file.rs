//! A strict reader of the pcapng files that the sniffer writes, independent of the project's own
//! reader. It knows only the blocks and options that the sniffer writes, and only little-endian files.

/// A pcapng file of one section.
#[derive(Debug, Default)]
pub struct PacketFile {
    /// The program that wrote the file.
    pub application: String,
    /// The interfaces in the order of their descriptions.
    pub interfaces: Vec<Interface>,
    /// The packets in the order of the file.
    pub packets: Vec<Packet>,
    /// The counters in the order of the file.
    pub statistics: Vec<Statistics>,
}

/// An interface description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named like their options")]
pub struct Interface {
    pub name: Option<String>,
    pub link: u16,
    pub snaplen: u32,
    pub filter: Option<String>,
}

/// A packet block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Index of its interface.
    pub interface: usize,
    /// Nanoseconds since 1970.
    pub ns: u64,
    /// Length on the wire in bytes.
    pub wire_len: u32,
    /// The captured bytes.
    pub bytes: Vec<u8>,
    /// The option `epb_flags`.
    pub flags: Option<u32>,
    /// The option `epb_packetid`.
    pub id: Option<u64>,
}

/// A block of counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named like their options")]
pub struct Statistics {
    /// Index of the interface.
    pub interface: usize,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    pub ifrecv: u64,
    pub ifdrop: u64,
    pub filteraccept: u64,
    pub osdrop: u64,
    pub usrdeliv: u64,
}

impl PacketFile {
    /// Reads a complete file.
    ///
    /// # Panics
    ///
    /// If it violates the format, or contains what the sniffer does not write.
    pub fn read(bytes: &[u8]) -> Self {
        let (file, rest) = Self::read_prefix(bytes);
        assert_eq!(rest, 0, "bytes after the last block");
        file
    }

    /// Reads the whole blocks of a file that may end within a block. Also returns the number of bytes
    /// after them.
    ///
    /// # Panics
    ///
    /// See [`PacketFile::read`].
    pub fn read_prefix(bytes: &[u8]) -> (Self, usize) {
        let mut file = Self::default();
        let mut rest = bytes;
        while let Some(len) = rest.get(4..8).map(|_| u32_at(rest, 4) as usize) {
            assert!(12 <= len && len % 4 == 0, "block length {len}");
            let Some(block) = rest.get(..len) else { break };
            assert_eq!(u32_at(block, len - 4) as usize, len, "the lengths of a block");
            let (kind, content) = (u32_at(block, 0), &block[8..len - 4]);
            assert_eq!(kind == 0x0a0d_0d0a, rest.len() == bytes.len(), "one section header");
            file.add(kind, content);
            rest = &rest[len..];
        }
        (file, rest.len())
    }

    fn add(&mut self, kind: u32, content: &[u8]) {
        match kind {
            0x0a0d_0d0a => {
                assert_eq!(u32_at(content, 0), 0x1a2b_3c4d, "byte-order magic");
                assert_eq!(content[4..8], [1, 0, 0, 0], "version");
                for (code, value) in options(&content[16..]) {
                    assert_eq!(code, 4, "option of a section header");
                    self.application = text(value);
                }
            }
            1 => self.interfaces.push(interface(content)),
            5 => self.statistics.push(statistics(content)),
            6 => {
                let packet = packet(content);
                let interface = &self.interfaces[packet.interface];
                assert!(
                    packet.bytes.len() <= interface.snaplen as usize,
                    "more than the snap length"
                );
                self.packets.push(packet);
            }
            kind => panic!("a block of type {kind}"),
        }
    }

    /// Name of the interface of a packet.
    ///
    /// # Panics
    ///
    /// If the packet is not one of this file.
    pub fn interface_of(&self, packet: &Packet) -> Option<&str> {
        self.interfaces[packet.interface].name.as_deref()
    }
}

fn interface(content: &[u8]) -> Interface {
    let mut interface = Interface {
        link: u16::from_le_bytes([content[0], content[1]]),
        snaplen: u32_at(content, 4),
        ..Interface::default()
    };
    let mut resolution = 6;
    for (code, value) in options(&content[8..]) {
        match code {
            2 => interface.name = Some(text(value)),
            9 => resolution = value[0],
            11 => {
                assert_eq!(value[0], 0, "a filter as text");
                interface.filter = Some(text(&value[1..]));
            }
            code => panic!("option {code} of an interface"),
        }
    }
    assert_eq!(resolution, 9, "nanoseconds");
    interface
}

fn packet(content: &[u8]) -> Packet {
    let len = u32_at(content, 12) as usize;
    let (bytes, rest) = content[20..].split_at(len);
    let (padding, rest) = rest.split_at(len.next_multiple_of(4) - len);
    assert!(padding.iter().all(|byte| *byte == 0), "padding");
    let mut packet = Packet {
        interface: u32_at(content, 0) as usize,
        ns: time_at(content, 4),
        wire_len: u32_at(content, 16),
        bytes: bytes.to_vec(),
        ..Packet::default()
    };
    for (code, value) in options(rest) {
        match code {
            2 => packet.flags = Some(u32_at(value, 0)),
            5 => packet.id = Some(u64_of(value)),
            code => panic!("option {code} of a packet"),
        }
    }
    packet
}

fn statistics(content: &[u8]) -> Statistics {
    let mut statistics =
        Statistics { interface: u32_at(content, 0) as usize, ..Statistics::default() };
    for (code, value) in options(&content[12..]) {
        match code {
            2 => statistics.start = time_at(value, 0),
            3 => statistics.end = time_at(value, 0),
            4 => statistics.ifrecv = u64_of(value),
            5 => statistics.ifdrop = u64_of(value),
            6 => statistics.filteraccept = u64_of(value),
            7 => statistics.osdrop = u64_of(value),
            8 => statistics.usrdeliv = u64_of(value),
            code => panic!("option {code} of statistics"),
        }
    }
    assert_eq!(statistics.end, time_at(content, 4));
    assert!(statistics.start <= statistics.end);
    statistics
}

/// The options of a block.
fn options(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut options = Vec::new();
    while !bytes.is_empty() {
        let code = u16::from_le_bytes([bytes[0], bytes[1]]);
        let len = usize::from(u16::from_le_bytes([bytes[2], bytes[3]]));
        if code == 0 {
            assert_eq!((len, bytes.len()), (0, 4), "the end of the options");
            break;
        }
        options.push((code, &bytes[4..4 + len]));
        bytes = &bytes[4 + len.next_multiple_of(4)..];
    }
    options
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_of(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap())
}

/// A time, whose high half comes first.
fn time_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) << 32 | u64::from(u32_at(bytes, at + 4))
}

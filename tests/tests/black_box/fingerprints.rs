//! Fingerprints of TLS clients in captures of other projects.

use serde::Deserialize;
use tests::corpus;
use tests::process::run;
use tests::stream::Stream;

/// The ClientHellos of a file of the corpus.
#[derive(Deserialize)]
struct Case {
    file: String,
    hellos: Vec<Hello>,
}

/// The first ClientHello of a connection, with the texts of its fields.
#[derive(Deserialize)]
struct Hello {
    src: String,
    src_port: String,
    dst: String,
    dst_port: String,
    tls_server_name: Option<String>,
    ja4: String,
}

#[test]
fn fingerprints_are_those_of_the_reference() {
    let Some(cases) = corpus::ja4_cases().unwrap() else { return };
    let root = corpus::root().unwrap().unwrap();
    let mut count = 0;
    for Case { file, hellos } in serde_json::from_str::<Vec<Case>>(&cases).unwrap() {
        let path = root.join("ja4").join(&file);
        let output = run(&["-q", "--names", "--ja4", "-r", path.to_str().unwrap()]);
        let packets = Stream::read(&output.stdout).packets;
        for Hello { src, src_port, dst, dst_port, tls_server_name, ja4 } in hellos {
            let port = |text: &str| Some(text.parse().unwrap());
            let is_found = packets.iter().any(|packet| {
                packet.src.as_ref() == Some(&src)
                    && packet.dst.as_ref() == Some(&dst)
                    && (packet.sport, packet.dport) == (port(&src_port), port(&dst_port))
                    && packet.sni == tls_server_name
                    && packet.ja4.as_ref() == Some(&ja4)
            });
            assert!(is_found, "{file}: {src}:{src_port} {dst}:{dst_port} {ja4}");
            count += 1;
        }
        // Without --names, the fingerprint is the only addition.
        let output = run(&["-q", "--ja4", "-r", path.to_str().unwrap()]);
        let others = Stream::read(&output.stdout).packets;
        assert!(others.iter().all(|packet| packet.sni.is_none() && packet.alpn.is_none()));
        assert!(
            others.iter().map(|packet| &packet.ja4).eq(packets.iter().map(|packet| &packet.ja4))
        );
    }
    assert!(90 < count, "{count}");
}

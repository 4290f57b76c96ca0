//! What rustls-webpki says of a Trial CPA Certificate: its path to the root, its usage, and both lists.
//!
//! `webpki-judge FOLDER CERTIFICATE SECONDS` prints `good`, or the error's name; SECONDS are those since 1970.

use std::{env, fs, path::Path, time::Duration};

use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{
    anchor_from_trusted_cert, ring::ECDSA_P256_SHA256, BorrowedCertRevocationList, CertRevocationList, EndEntityCert,
    Error, ExpirationPolicy, KeyUsage, RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy,
};

/// 1.3.6.1.4.1.32473.172.3.1, a Trial CPA statement of a test authority. Asked of CAs, too, which have no such usage.
const STATEMENT: &[u8] = &[0x2b, 6, 1, 4, 1, 0x81, 0xfd, 0x59, 0x81, 0x2c, 3, 1];

fn judge(folder: &Path, certificate: &str, at: UnixTime) -> Result<(), Error> {
    let read = |name: &str| fs::read(folder.join(name)).expect(name);
    let (root, issuing, leaf) = (read("root.der"), read("issuing.der"), read(certificate));
    let (root, issuing, leaf) = (CertificateDer::from(root), CertificateDer::from(issuing), CertificateDer::from(leaf));
    let (own, above) = (read("issuing.crl"), read("root.crl"));
    let lists: [CertRevocationList; 2] = [
        BorrowedCertRevocationList::from_der(&own)?.into(),
        BorrowedCertRevocationList::from_der(&above)?.into(),
    ];
    let lists: Vec<&CertRevocationList> = lists.iter().collect();
    let revocation = RevocationOptionsBuilder::new(&lists)
        .expect("two lists")
        .with_depth(RevocationCheckDepth::Chain)
        .with_status_policy(UnknownStatusPolicy::Deny)
        .with_expiration_policy(ExpirationPolicy::Enforce)
        .build();
    EndEntityCert::try_from(&leaf)?
        .verify_for_usage(
            &[ECDSA_P256_SHA256],
            &[anchor_from_trusted_cert(&root)?],
            &[issuing],
            at,
            KeyUsage::required_if_present(STATEMENT),
            Some(revocation),
            None,
        )
        .map(|_| ())
}

fn main() {
    let words: Vec<String> = env::args().collect();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(words[3].parse().expect("seconds")));
    match judge(Path::new(&words[1]), &words[2], at) {
        Ok(()) => println!("good"),
        Err(error) => println!("{error:?}"),
    }
}

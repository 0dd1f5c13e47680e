//! Built-in fingerprints are fixed: a store must find its trials again.

use thalweg_data::builtin;

#[test]
fn built_in_fingerprints_do_not_change() {
    let found: Vec<String> = builtin::all()
        .iter()
        .map(|set| format!("{} {}", set.name, &set.load().fingerprint()[..16]))
        .collect();
    assert_eq!(
        found,
        [
            "digits 011b8c692611284f",
            "iris 8dcb4a8009402825",
            "wine 529d0142480c830b",
            "breast-cancer 2e95f132e6b62888",
            "diabetes 75fddfa5315f0005",
            "air-passengers 45204e85ecf39ef2",
        ]
    );
}

use super::*;

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn read(pairs: &[(&str, &str)]) -> Result<DeliverySettings, Vec<String>> {
    let environment =
        pairs.iter().map(|(key, value)| (format!("MAINSTAY_SURVEYS__DELIVERY__{key}"), (*value).to_owned()));
    let mut reader = Reader::load("surveys", None, environment).expect("no file");
    let settings = DeliverySettings::read(&mut reader);
    assert!(!reader.describe().contains(KEY) && !reader.describe().contains("hunter2"), "{}", reader.describe());
    reader.finish().map(|()| settings).map_err(|error| error.faults)
}

#[test]
fn nothing_given_means_no_destinations() {
    assert!(read(&[]).expect("no fault").destinations().is_empty());
}

#[test]
fn destinations_are_read_by_name() {
    let settings = read(&[
        ("SMTP__HOST", "mail.example.com"),
        ("SMTP__USER", "care"),
        ("SMTP__PASSWORD", "hunter2"),
        ("SMTP__FROM", "Mainstay <care@example.com>"),
        ("SLACK__ALERTS__URL", "https://hooks.slack.com/services/hunter2"),
        ("WEBHOOK__CRM__URL", "https://crm.example.com/hooks"),
        ("WEBHOOK__CRM__SECRET", KEY),
        ("WEBHOOK__CRM__PREVIOUS_SECRET", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
    ])
    .expect("no fault");
    let names: Vec<String> = settings.destinations().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["email", "slack/alerts", "webhook/crm"]);
    assert_eq!(settings.webhooks["crm"].keys.len(), 2);
    let smtp = settings.smtp.as_ref().expect("a relay");
    assert_eq!((smtp.port, smtp.tls, smtp.hello_name.as_str()), (587, SmtpTls::StartTls, "example.com"));
    let shown = format!("{settings:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("MfKQ9r8"), "{shown}");
}

#[test]
fn all_faults_are_told_without_secrets() {
    let faults = read(&[
        ("SMTP__HOST", "mail.example.com"),
        ("SMTP__TLS", "none"),
        ("SMTP__PASSWORD", "hunter2"),
        ("SMTP__FROM", "nobody"),
        ("SLACK__ALERTS__URL", "http://hunter2.example.com"),
        ("WEBHOOK__CRM__URL", "https://crm.example.com/hooks"),
        ("WEBHOOK__CRM__SECRET", "hunter2"),
        ("WEBHOOK__CRM__ULR", "x"),
    ])
    .expect_err("faults");
    let told = faults.join("\n");
    assert!(!told.contains("hunter2"), "{told}");
    for part in [
        "delivery.smtp.tls (environment MAINSTAY_SURVEYS__DELIVERY__SMTP__TLS) must not be none",
        "delivery.smtp.password (environment MAINSTAY_SURVEYS__DELIVERY__SMTP__PASSWORD) must not travel",
        "delivery.smtp.user and delivery.smtp.password must be given together",
        "must be an address such as `Mainstay <care@example.com>`, not `nobody`",
        "must be https",
        "must be `whsec_` and 24 to 64",
        "did you mean delivery.webhook.crm.url?",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
}

#[test]
fn half_a_relay_is_a_fault() {
    let faults = read(&[("SMTP__FROM", "care@example.com")]).expect_err("no host");
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("delivery.smtp.host"), "{faults:?}");
}

#[test]
fn plain_connections_are_for_this_machine() {
    let local = [("SMTP__HOST", "localhost"), ("SMTP__TLS", "none"), ("SMTP__FROM", "care@example.com")];
    assert_eq!(read(&local).expect("no fault").smtp.expect("a relay").port, 25);
    let mut remote = local.to_vec();
    remote[0].1 = "mail.example.com";
    assert_eq!(read(&remote).expect_err("plain").len(), 1);
    remote.push(("SMTP__ALLOW_PLAINTEXT", "true"));
    assert!(read(&remote).is_ok());
}

#[test]
fn signing_keys_have_their_form() {
    assert!(SigningKey::parse(KEY).is_ok());
    for bad in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_????", "whsec_c2hvcnQ="] {
        assert!(SigningKey::parse(bad).is_err(), "{bad}");
    }
}

"""The brand's customer register: members, contacts, consents, log-in codes, scans."""

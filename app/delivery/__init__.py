"""Messages to people: web push, email and SMS, through one door out."""

"""Let platforms ring: take deliveries at the door, answer at once, and ask for the truth afterwards.

`accepting` answers one delivery, `front` does so ahead of Django, `doors` knows the addresses and secrets, `deliveries`
keeps what waits, `draining` asks what each is about, `subscribing` sees to it that platforms ring at all.
"""

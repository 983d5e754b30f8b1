"""Hold how days and times are written where no template says so: in the admin."""

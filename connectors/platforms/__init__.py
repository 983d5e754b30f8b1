"""One folder per platform: a description of what it says, and pure mappers from that to facts."""

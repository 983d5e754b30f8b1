"""Hold every platform to the same contract: what the engine promises of any connector, tried against that platform's own server."""

"""What the store can be asked about rooms, recordings, markers and accounts, one repository for each."""

"""What the store can be asked about rooms, recordings and accounts, one repository for each."""

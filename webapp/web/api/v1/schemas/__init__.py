"""The typed requests and responses of the API: its description is made from them."""

"""The pages, the API and the events: each checks a request, calls a service, and responds."""

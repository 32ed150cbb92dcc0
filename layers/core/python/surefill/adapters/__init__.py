"""The outside world behind the ports: stores, venues, queues. Nothing in domain, protocol or use cases imports this."""

"""AWS services other than the tables: queue, workflow, topic, secrets."""

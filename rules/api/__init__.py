"""ThingsBoard's API of rule chains, node descriptors and queues, and our own."""

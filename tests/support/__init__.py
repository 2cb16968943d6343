"""What tests share: servers, histories, clients of both kinds, the spec."""

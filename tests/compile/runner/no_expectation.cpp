// Fails, but does not say why it should.
int main() { return undeclared; }

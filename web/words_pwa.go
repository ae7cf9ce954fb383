package web

// pwaWords are the texts of the page that is shown without a connection.
var pwaWords = map[string][2]string{
	"offline":     {"No connection", "Keine Verbindung"},
	"offline_why": {"Your device cannot reach us right now. For your protection nothing that colleagues wrote is kept on it. As soon as the connection is back, go on here.", "Ihr Gerät erreicht uns gerade nicht. Zu Ihrem Schutz bleibt darauf nichts gespeichert, was Kolleginnen und Kollegen geschrieben haben. Sobald die Verbindung zurück ist, geht es hier weiter."},
}

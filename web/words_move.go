package web

// moveWords are the texts of the page about moving to another account.
var moveWords = map[string][2]string{
	"set_move":        {"Moving", "Umzug"},
	"move_here":       {"Move here from another account", "Von einem anderen Konto hierher umziehen"},
	"move_here_how":   {"Name your other account here. Then start the move there; whoever follows it follows you here.", "Nennen Sie hier Ihr anderes Konto. Beginnen Sie den Umzug dann dort; wer ihm folgt, folgt danach Ihnen hier."},
	"alias_handle":    {"Your other account", "Ihr anderes Konto"},
	"alias_add":       {"Name it as mine", "Als meines nennen"},
	"alias_remove":    {"Not mine any more", "Nicht mehr meines"},
	"handle_hint":     {"Its address, such as @name@server.example", "Seine Adresse, etwa @name@server.example"},
	"move_away":       {"Move from here to another account", "Von hier zu einem anderen Konto umziehen"},
	"move_what":       {"Your followers follow the other account from then on, as far as their servers take part, and your profile here says where you are. Your posts, files and whom you follow stay here; take them along under “Your data”. You can move once in seven days.", "Wer Ihnen folgt, folgt danach dem anderen Konto, soweit sein Server mitmacht, und Ihr Profil hier sagt, wo Sie sind. Ihre Beiträge und Dateien und wem Sie folgen bleiben hier; unter „Ihre Daten“ nehmen Sie sie mit. Umziehen können Sie einmal in sieben Tagen."},
	"move_step_alias": {"There, name this account as yours (on Mastodon: “Moving from a different account”).", "Nennen Sie dort dieses Konto als Ihres (bei Mastodon: „Von einem anderen Konto umziehen“)."},
	"move_step_here":  {"Here, name the other account and confirm with your password.", "Nennen Sie hier das andere Konto und bestätigen Sie mit Ihrem Passwort."},
	"move_handle":     {"The account you move to", "Das Konto, zu dem Sie umziehen"},
	"move_password":   {"So that nobody else at your screen can do it.", "Damit das niemand sonst an Ihrem Bildschirm kann."},
	"move_now":        {"Move", "Umziehen"},
	"move_done":       {"You have moved. Your followers are told now.", "Sie sind umgezogen. Ihre Folgenden erfahren es jetzt."},
	"move_was":        {"You have moved to", "Sie sind umgezogen zu"},
	"move_stay":       {"Say so no more", "Nicht mehr sagen"},
	"move_ended":      {"Your profile says no more that you moved. Who followed you there goes on doing so.", "Ihr Profil sagt nicht mehr, dass Sie umgezogen sind. Wer Ihnen dorthin gefolgt ist, bleibt dort."},
	"moved_to":        {"This account has moved to", "Dieses Konto ist umgezogen zu"},
}
